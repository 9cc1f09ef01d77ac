import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext } from 'playwright-core';
import { createMllpSink, type MllpSink } from '../../src/sink/mllp-sink.ts';
import { openBrowser } from '../support/browser.ts';
import { type CliRun, childrenOf, startProgram, untilGone, untilServing, YEETER } from '../support/cli.ts';
import type { Postgres } from '../support/postgres.ts';
import type { Rabbitmq } from '../support/rabbitmq.ts';
import { startPostgres, startRabbitmq, without } from '../support/services.ts';
import { untilAnswer } from '../support/until.ts';

type Fields = Record<string, unknown>;

const ORDER = `MSH|^~\\&|YEETER|T|RIS|T|{$Faker.Context.MessageTimestamp}||ORM^O01|{$Faker.Context.MessageControlId}|T|2.5.1
PID|||{$Faker.Patient.MRN}||{$Faker.Person.LastName}^{$Faker.Person.FirstName}
OBR||{$Faker.Order.PlacerOrderNumber}|{$Faker.Order.AccessionNumber}|CT1^CT head
`;
const PATIENTS = 6;
const ADMIN = { username: 'operator', password: 'correct horse' };

interface Heard {
  event: string;
  payload: {
    status?: string;
    event?: { id: number };
    job?: { job_id: string };
    job_id?: string;
    active_workers?: number;
  };
}

/** What the page of a front end does, with the client that the server serves. */
async function watch(context: BrowserContext, url: string, token: string, runId: number) {
  const page = await context.newPage();
  // A page of the server's own origin that its policy lets run scripts.
  await page.goto(`${url}/socket.io/socket.io.js`);
  await page.setContent('<title>a dashboard</title>');
  await page.addScriptTag({ url: `${url}/socket.io/socket.io.js` });
  const joined = await page.evaluate(`new Promise((resolve, reject) => {
    window.heard = [];
    const socket = io(${JSON.stringify(url)}, { auth: { token: ${JSON.stringify(token)} } });
    socket.onAny((event, payload) => window.heard.push({ event, payload }));
    socket.on('connect_error', reject);
    socket.on('connect', () => socket.emit('join_run_room', { run_id: ${runId} }, resolve));
  })`);
  assert.equal((joined as { ok: boolean }).ok, true, JSON.stringify(joined));
  return async (event: string): Promise<Heard['payload'][]> =>
    ((await page.evaluate('window.heard')) as Heard[])
      .filter((one) => one.event === event)
      .map(({ payload }) => payload);
}

describe('processes over one broker and one database', {
  skip: without('chromium', 'rabbitmq-server', 'postgresql'),
}, () => {
  let cwd: string;
  let postgres: Postgres;
  let rabbitmq: Rabbitmq;
  let mllp: MllpSink;
  let environment: string[];
  const processes: CliRun[] = [];

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-cluster-'));
    [postgres, rabbitmq, mllp] = await Promise.all([startPostgres(), startRabbitmq(), createMllpSink({})]);
    environment = [
      `DATABASE_URL=${await postgres.createDatabase()}`,
      `RABBITMQ_URL=${await rabbitmq.createVhost()}`,
      'JWT_SECRET_KEY=a secret that all api processes of this test share',
      `YEETER_ADMIN_USER=${ADMIN.username}`,
      `YEETER_ADMIN_PASSWORD=${ADMIN.password}`,
    ];
  });
  after(async () => {
    for (const { process } of processes) process.kill('SIGTERM');
    await Promise.all(processes.map(({ ended }) => ended));
    await mllp.close();
    await rabbitmq.close();
    await postgres.close();
    await rm(cwd, { recursive: true, force: true });
  });

  const start = async (...args: string[]): Promise<CliRun> => {
    const started = startProgram('/usr/bin/env', [...environment, ...YEETER, ...args], cwd);
    processes.push(started);
    await started.said(/ready/);
    return started;
  };
  const startServer = async (...args: string[]): Promise<{ url: string; run: CliRun }> => {
    const run = await start(...args, '--port', '0');
    return { url: await untilServing(run), run };
  };
  const stop = async (run: CliRun): Promise<void> => {
    run.process.kill('SIGTERM');
    const { code, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    processes.splice(processes.indexOf(run), 1);
  };
  const ask = async <T = Fields>(
    url: string,
    token: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T> => {
    const response = await fetch(`${url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path} -> ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  const signIn = async (url: string): Promise<string> =>
    String((await ask(url, '', 'POST', '/auth/login', ADMIN)).access_token);

  /** A template whose orders are sent where the runner is, and followed by a job. */
  const makeTemplate = async (url: string, token: string): Promise<number> => {
    const endpoint = await ask(url, token, 'POST', '/endpoints', {
      ...{ name: 'ris', endpoint_type: 'MLLP', hostname: '127.0.0.1', port: mllp.port },
    });
    const generator = await ask(url, token, 'POST', '/simulator/generators', {
      ...{ name: 'order', message_type: 'ORM^O01', content: ORDER },
    });
    const template = await ask(url, token, 'POST', '/simulator/templates', {
      name: 'watched',
      steps: [
        { step_order: 1, step_type: 'GENERATE_HL7', parameters: { generator_template_id: generator.id } },
        { step_order: 2, step_type: 'SEND_MLLP', parameters: { endpoint_id: endpoint.id } },
        {
          ...{ step_order: 3, step_type: 'WAIT', execution: 'async', queue: 'reports' },
          parameters: { duration_seconds: 0 },
        },
      ],
    });
    return Number(template.id);
  };

  it('two servers, a runner and two workers: a browser on either server sees each event once', async () => {
    const [one, other] = [await startServer('api'), await startServer('api')];
    assert.match(one.run.stderr(), /Z database \S+ had no tables of Yeeter: made them\n/);
    assert.doesNotMatch(other.run.stderr(), /tables/);
    const token = await signIn(one.url);
    const templateId = await makeTemplate(one.url, token);
    const wish = { template_id: templateId, patient_count: PATIENTS };
    const { run_id: runId } = await ask(one.url, token, 'POST', '/simulator/run', wish);
    await using browser = await openBrowser();
    const pages = [];
    for (const { url } of [one, other]) pages.push(await watch(browser.context, url, token, Number(runId)));
    const [runner, ...workers] = await Promise.all([
      start('runner'),
      start('worker', '--all-queues'),
      start('worker', '--queues', 'reports'),
    ]);
    const read = <T = Fields>(path: string): Promise<T> =>
      ask<T>(other.url, token, 'GET', `/simulator/runs/${runId}${path}`);
    const over = await untilAnswer(
      () => read('/stats'),
      ({ completed_at: at }) => at !== null,
    );
    assert.equal(over.status, 'COMPLETED');
    const steps = over.step_duration_summary as { count: number }[];
    assert.ok(
      steps.every(({ count }) => count === PATIENTS),
      JSON.stringify(steps),
    );

    const { events } = await read<{ events: { id: number }[] }>('?events_order=asc');
    const metrics = await read<Fields & { worker_jobs: { job_id: string }[] }>('/metrics');
    assert.deepEqual([metrics.queued_job_count, metrics.completed_patients], [PATIENTS, PATIENTS]);
    const jobIds = metrics.worker_jobs.map((job) => job.job_id).sort();
    assert.equal(new Set(jobIds).size, PATIENTS);
    for (const heard of pages) {
      await untilAnswer(
        () => heard('sim_log_update'),
        (seen) => seen.length >= events.length,
      );
      const seen = (await heard('sim_log_update')).map(({ event }) => event!.id);
      assert.deepEqual(
        seen.sort((a, b) => a - b),
        events.map(({ id }) => id),
      );
      await untilAnswer(
        () => heard('simulation_async_job_completed'),
        (jobs) => jobs.length >= PATIENTS,
      );
      const completed = (await heard('simulation_async_job_completed')).map(({ job }) => job!.job_id);
      assert.deepEqual(completed.sort(), jobIds);
      const queued = (await heard('simulation_async_job_queued')).map((job) => job.job_id);
      assert.deepEqual(queued.sort(), jobIds);
      const statuses = (await heard('sim_run_status_update')).map(({ status }) => status);
      assert.equal(statuses.at(-1), 'COMPLETED');
      await untilAnswer(
        () => heard('worker_metrics_update'),
        (updates) => updates.some((update) => update.active_workers === 2),
      );
    }
    const refused = await fetch(`${one.url}/api/admin/workers/scale`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"replicas": 2}',
    });
    assert.equal(refused.status, 503);
    assert.match(await refused.text(), /this process has no workers to scale/);
    for (const run of [...workers, runner, one.run, other.run]) await stop(run);
  });

  it('a server that is killed takes no run with it, whatever it had just been asked', async () => {
    const [runner, worker] = await Promise.all([start('runner'), start('worker', '--all-queues')]);
    let server = await startServer('api');
    const token = await signIn(server.url);
    const templates = await ask<{ id: number; name: string }[]>(
      server.url,
      token,
      'GET',
      '/simulator/templates',
    );
    const { id: templateId } = templates.find(({ name }) => name === 'watched')!;
    const started: number[] = [];
    for (const patients of [200, 250, 300]) {
      const wish = { template_id: templateId, patient_count: patients, load: { concurrency: 8 } };
      const { run_id: runId } = await ask(server.url, token, 'POST', '/simulator/run', wish);
      started.push(Number(runId));
      // Under way, and being asked for.
      const asked = fetch(`${server.url}/api/simulator/runs/${runId}/metrics`).catch(() => {});
      server.run.process.kill('SIGKILL');
      await Promise.all([asked, server.run.ended]);
      processes.splice(processes.indexOf(server.run), 1);
      server = await startServer('api');
    }
    for (const [at, runId] of started.entries()) {
      const over = await untilAnswer(
        () => ask(server.url, token, 'GET', `/simulator/runs/${runId}/metrics`),
        ({ completed_at: end }) => end !== null,
      );
      const patients = [200, 250, 300][at];
      assert.deepEqual(
        [over.status, over.completed_patients, over.queued_job_count, over.job_success_count],
        ['COMPLETED', patients, patients, patients],
      );
    }
    for (const run of [runner, worker, server.run]) await stop(run);
  });

  it('yeeter serve starts a runner and workers of its own, scales them, and ends them', async () => {
    const { url, run } = await startServer('serve', '--workers', '1', '--data', 'data');
    const token = await signIn(url);
    const liveWorkers = (count: number): Promise<Fields[]> =>
      untilAnswer(
        () => ask<Fields[]>(url, token, 'GET', '/admin/workers'),
        (workers) => workers.length === count,
      );
    await liveWorkers(1);
    const scaled = await ask<{ decision: Fields }>(url, token, 'POST', '/admin/workers/scale', {
      replicas: 2,
    });
    assert.equal(scaled.decision.applied, true);
    await liveWorkers(2);
    const templates = await ask<{ id: number; name: string }[]>(url, token, 'GET', '/simulator/templates');
    const { id } = templates.find(({ name }) => name === 'watched')!;
    const wish = { template_id: id, patient_count: 20, load: { concurrency: 4 } };
    const { run_id: runId } = await ask(url, token, 'POST', '/simulator/run', wish);
    const over = await untilAnswer(
      () => ask(url, token, 'GET', `/simulator/runs/${runId}/metrics`),
      ({ completed_at: at }) => at !== null,
    );
    assert.deepEqual([over.status, over.completed_patients, over.job_success_count], ['COMPLETED', 20, 20]);
    const children = childrenOf(run.pid);
    assert.equal(children.length, 4);
    await stop(run);
    for (const child of children) await untilGone(child);
  });
});
