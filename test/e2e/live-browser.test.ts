import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext } from 'playwright-core';
import { announceChanges } from '../../src/live/announce.ts';
import { createPostgresLive } from '../../src/live/postgres-live.ts';
import { createMllpSink, type MllpSink } from '../../src/sink/mllp-sink.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-postgres-store.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';
import { newRun } from '../conformance/ledger-rows.ts';
import { openBrowser } from '../support/browser.ts';
import { type CliRun, startYeeter } from '../support/cli.ts';
import { TEST_IDENTITY } from '../support/job.ts';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import type { Postgres } from '../support/postgres.ts';
import type { Rabbitmq } from '../support/rabbitmq.ts';
import { templateFrom } from '../support/run.ts';
import { startPostgres, startRabbitmq, without } from '../support/services.ts';
import { until } from '../support/until.ts';

const TEMPLATE = templateFrom(`
name: watched
generators:
  order:
    content: |
      MSH|^~\\&|YEETER|T|RIS|T|{$Faker.Context.MessageTimestamp}||ORM^O01|{$Faker.Context.MessageControlId}|T|2.5.1
      PID|||{$Faker.Patient.MRN}||{$Faker.Person.LastName}^{$Faker.Person.FirstName}
      OBR||{$Faker.Order.PlacerOrderNumber}|{$Faker.Order.AccessionNumber}|CT1^CT head
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP}
  - {step_type: WAIT, execution: async, queue: reports, parameters: {duration_seconds: 0}}
`);
const PATIENTS = 6;

interface Heard {
  event: string;
  payload: {
    status?: string;
    event?: { id: number };
    job?: { id: number; job_id: string };
    job_id?: string;
    completed_jobs?: number;
    active_workers?: number;
  };
}

interface Page {
  heard(): Promise<Heard[]>;
}

/** What the page of a front end does, with the client that the server serves. */
async function watch(context: BrowserContext, url: string, token: string, runId: number): Promise<Page> {
  const page = await context.newPage();
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
  return { heard: async () => (await page.evaluate('window.heard')) as Heard[] };
}

describe('browsers on two servers', { skip: without('chromium', 'rabbitmq-server', 'postgresql') }, () => {
  let cwd: string;
  let postgres: Postgres;
  let rabbitmq: Rabbitmq;
  let mllp: MllpSink;
  let databaseUrl: string;
  let queueUrl: string;
  let store: ServerStore;
  const servers: LiveServer[] = [];
  const processes: CliRun[] = [];
  const closing: (() => Promise<unknown>)[] = [];

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-browsers-'));
    [postgres, rabbitmq, mllp] = await Promise.all([startPostgres(), startRabbitmq(), createMllpSink({})]);
    databaseUrl = await postgres.createDatabase();
    queueUrl = await rabbitmq.createVhost();
    for (const migrate of [true, false]) {
      const own = await openPostgresStore({ databaseUrl, migrate });
      const live = createPostgresLive({ databaseUrl });
      store = announceChanges(own, live);
      servers.push(await startLiveServer({ store, live }));
      closing.unshift(
        () => live.close(),
        () => own.close(),
      );
    }
  });
  after(async () => {
    for (const { process } of processes) process.kill('SIGTERM');
    await Promise.all(processes.map(({ ended }) => ended));
    for (const server of servers) await server.close();
    for (const close of closing) await close();
    await mllp.close();
    await rabbitmq.close();
    await postgres.close();
    await rm(cwd, { recursive: true, force: true });
  });

  const start = async (...args: string[]): Promise<void> => {
    const urls = ['--database-url', databaseUrl, '--queue-url', queueUrl];
    const started = startYeeter([...args, ...urls], cwd);
    processes.push(started);
    await started.said(/ready/);
  };

  it('see each event of runner and workers once', async () => {
    const endpoint = { name: 'mllp', endpointType: 'MLLP', hostname: '127.0.0.1', aeTitle: null } as const;
    const run = await store.createRun(
      newRun({
        userId: 7,
        template: TEMPLATE,
        identity: TEST_IDENTITY,
        patientCount: PATIENTS,
        concurrency: 1,
        endpoints: { mllp: { ...endpoint, port: mllp.port, callingAeTitle: null } },
        limits: {},
      }),
    );
    await using browser = await openBrowser();
    const pages = [];
    for (const { url } of servers) pages.push(await watch(browser.context, url, 'user:7', run.id));
    await Promise.all([start('worker', '--queues', 'reports'), start('worker', '--queues', 'reports')]);
    await start('runner');
    for (const page of pages)
      await until(async () => (await page.heard()).some(({ payload }) => payload.status === 'COMPLETED'));

    const ids = (await store.readEvents(run.id, { afterId: 0, limit: 1000 })).map(({ id }) => id);
    const attempts = await store.listAttempts({ runId: run.id, limit: 100 });
    assert.equal(attempts.length, PATIENTS);
    for (const page of pages) {
      const of = async (event: string): Promise<Heard['payload'][]> =>
        (await page.heard()).filter((one) => one.event === event).map(({ payload }) => payload);
      await until(async () => (await of('sim_log_update')).length >= ids.length);
      const seen = (await of('sim_log_update')).map(({ event }) => event!.id);
      assert.deepEqual(
        seen.sort((a, b) => a - b),
        ids,
      );
      const jobIds = attempts.map(({ jobId }) => jobId).sort();
      await until(async () => (await of('simulation_async_job_completed')).length >= PATIENTS);
      const completed = (await of('simulation_async_job_completed')).map(({ job }) => job!.job_id);
      assert.deepEqual(completed.sort(), jobIds);
      const queued = (await of('simulation_async_job_queued')).map(({ job_id }) => job_id);
      assert.deepEqual(queued.sort(), jobIds);
      await until(async () => (await of('simulation_async_progress')).at(-1)?.completed_jobs === PATIENTS);
      await until(async () =>
        (await of('worker_metrics_update')).some((update) => update.active_workers === 2),
      );
    }
  });
});
