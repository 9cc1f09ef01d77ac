import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import {
  type CliRun,
  childrenOf,
  startProgram,
  untilGone,
  untilServing,
  YEETER,
  yeeter,
} from '../support/cli.ts';
import { untilAnswer } from '../support/until.ts';

type Fields = Record<string, unknown>;

const PASSWORD = 'correct horse';
/** The server runs through all tests of this file. */
const HANG_MS = 600_000;

describe('yeeter serve', () => {
  let cwd: string;
  let url: string;
  let server: CliRun;
  let token: string;

  const start = async (...more: string[]): Promise<CliRun> => {
    const [node, main] = YEETER;
    const run = startProgram(node, [main, 'serve', '--port', '0', '--data', 'data', ...more], cwd, HANG_MS);
    url = await untilServing(run);
    return run;
  };
  const stop = async (run: CliRun): Promise<void> => {
    run.process.kill('SIGTERM');
    const end = await run.ended;
    assert.equal(end.code, 0, end.stderr);
  };
  const ask = async (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const json = async <T = Fields>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await ask(method, path, body);
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path} -> ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  const startRun = async (name: string, patients: number, concurrency = 8): Promise<number> => {
    const templates = await json<{ id: number; name: string }[]>('GET', '/api/simulator/templates');
    const { id } = templates.find((template) => template.name === name)!;
    const wish = { template_id: id, patient_count: patients, load: { concurrency } };
    return Number((await json('POST', '/api/simulator/run', wish)).run_id);
  };
  const metricsOf = (runId: number): Promise<Fields> =>
    json('GET', `/api/simulator/runs/${runId}/metrics?jobs_limit=1`);
  const untilOver = (runId: number): Promise<Fields> =>
    untilAnswer(
      () => metricsOf(runId),
      ({ completed_at: at }) => at !== null,
    );

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-serve-'));
    // Made before anything is timed by a deadline.
    await (await openPgliteStore({ dataDir: join(cwd, 'data') })).close();
    token = '';
    server = await start();
  });
  after(async () => {
    await stop(server);
    await rm(cwd, { recursive: true, force: true });
  });

  it('lets the first who registers run a ready template and fetch both CSVs', async () => {
    assert.match(server.stderr(), /the first who registers becomes administrator/);
    const account = { username: 'first', email: 'first@example.org', password: PASSWORD };
    const registered = await json('POST', '/api/auth/register', account);
    assert.equal(registered.is_admin, true);
    token = String(registered.access_token);
    const { status, database, broker } = await json('GET', '/api/health');
    assert.deepEqual([status, database, broker], ['healthy', 'connected', 'connected']);

    const runId = await startRun('orders-only', 12);
    const over = await untilOver(runId);
    assert.deepEqual([over.status, over.completed_patients], ['COMPLETED', 12]);

    const studies = await untilOver(await startRun('order-to-image', 3));
    assert.deepEqual([studies.status, studies.dicom_success_instances], ['COMPLETED', 30]);
    assert.equal(studies.worker_jobs_total, 3);

    for (const [path, file, rows] of [
      ['/api/metrics/runs?format=csv', 'run-metrics.csv', 2],
      [`/api/metrics/runs?format=csv&run_id=${runId}`, 'run-metrics.csv', 1],
      ['/api/metrics/workers?format=csv', 'worker-metrics.csv', 3],
    ] as const) {
      const response = await ask('GET', path);
      assert.match(response.headers.get('content-disposition') ?? '', new RegExp(file));
      const lines = (await response.text()).trim().split(/\r?\n/);
      assert.equal(lines.length, rows + 1, path);
    }
  });

  it('tells a run by events that have their places, and by durations of its steps', async () => {
    const runId = await startRun('orders-only', 12, 1);
    await untilOver(runId);
    const run = await json<{ events: { step_order: number; iteration: number; status: string }[] }>(
      'GET',
      `/api/simulator/runs/${runId}`,
    );
    const places = run.events.map(({ step_order: step, iteration }) => [step, iteration]);
    assert.deepEqual(places[0], [0, 0]);
    assert.deepEqual(places.at(-1), [999, 0]);
    for (const patient of [1, 2, 3])
      assert.deepEqual(
        places.filter(([, iteration]) => iteration === patient),
        [
          [1, patient],
          [2, patient],
        ],
      );
    for (const { status } of run.events) assert.match(status, /^(INFO|SUCCESS|FAILURE|WARN|DEBUG)$/);
    type Summary = Record<'count' | 'min_ms' | 'max_ms' | 'last_ms', number>;
    const { step_duration_summary: steps } = await json<{ step_duration_summary: Summary[] }>(
      'GET',
      `/api/simulator/runs/${runId}/stats`,
    );
    assert.deepEqual(
      steps.map(({ count }) => count),
      [12, 12],
    );
    for (const { min_ms: min, max_ms: max, last_ms: last } of steps)
      assert.ok(min <= last && last <= max, `${min} <= ${last} <= ${max}`);
  });

  it('answers what it is, live and for Prometheus', async () => {
    const openApi = await json<{ openapi: string; paths: Fields }>('GET', '/api/openapi.json');
    assert.match(openApi.openapi, /^3\.1/);
    assert.ok('/api/simulator/run' in openApi.paths);
    assert.match(await (await ask('GET', '/api/docs')).text(), /\/api\/simulator\/run/);
    assert.match(await (await ask('GET', '/metrics')).text(), /^yeeter_workers\{?.* 1$/m);
    assert.equal((await fetch(`${url}/socket.io/socket.io.js`)).status, 200);
  });

  it('scales its workers, and keeps each decision', async () => {
    const scaled = await json<{ decision: Fields; status: Fields }>('POST', '/api/admin/workers/scale', {
      replicas: 2,
      reason: 'a look',
    });
    assert.equal(scaled.decision.applied, true);
    const workers = await untilAnswer(
      () => json<Fields[]>('GET', '/api/admin/workers'),
      (all) => all.length === 2,
    );
    assert.equal(workers.length, 2);
    const decisions = await json<Fields[]>('GET', '/api/admin/scaling/decisions');
    // The policy may have looked since.
    const mine = decisions.find(({ reason }) => reason === 'a look');
    assert.equal(mine?.target_replicas, 2);
    await json('POST', '/api/admin/workers/scale', { replicas: 1 });
  });

  it('keeps the secret of its tokens to its owner', async () => {
    const file = join(cwd, 'data', 'jwt-secret');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.ok((await readFile(file, 'utf8')).trim().length >= 32);
  });

  it('refuses a port that is taken and a folder that is in use', async () => {
    const port = new URL(url).port;
    const taken = await yeeter(['serve', '--port', port, '--data', 'other'], cwd);
    assert.equal(taken.code, 1, taken.stderr);
    assert.match(taken.stderr, /PORT_IN_USE: .*127\.0\.0\.1:\d+/);
    const locked = await yeeter(['serve', '--port', '0', '--data', 'data'], cwd);
    assert.equal(locked.code, 1, locked.stderr);
    assert.match(locked.stderr, /STORAGE_LOCKED/);
    const half = startProgram(
      '/usr/bin/env',
      ['DATABASE_URL=postgres://x@127.0.0.1:1/x', ...YEETER, 'serve'],
      cwd,
    );
    const { code, stderr } = await half.ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, /CONFIG_INVALID: RABBITMQ_URL is missing/);
  });

  it('goes on with a run that a SIGKILL interrupted, and loses nothing', async () => {
    const runId = await startRun('order-to-image', 120, 4);
    await untilAnswer(
      () => metricsOf(runId),
      ({ completed_patients: done }) => Number(done) > 3,
    );
    const sinks = childrenOf(server.pid);
    server.process.kill('SIGKILL');
    await server.ended;
    for (const sink of sinks) await untilGone(sink);
    server = await start();
    const over = await untilOver(runId);
    assert.equal(over.status, 'COMPLETED');
    assert.deepEqual([over.started_patients, over.completed_patients, over.failed_patients], [120, 120, 0]);
    assert.ok(Number(over.possibly_repeated_count) > 0);
  });

  it('gives runs back on SIGTERM, keeps accounts and templates, and leaves no process', async () => {
    const runId = await startRun('order-to-image', 400, 4);
    await untilAnswer(
      () => metricsOf(runId),
      ({ completed_patients: done }) => Number(done) > 3,
    );
    const sinks = childrenOf(server.pid);
    assert.equal(sinks.length, 1);
    await stop(server);
    for (const sink of sinks) await untilGone(sink);
    server = await start();
    const cancelled = await ask('POST', `/api/simulator/runs/${runId}/cancel`);
    assert.equal(cancelled.status, 202);
    const over = await untilOver(runId);
    const { started_patients: started } = over;
    const ended = ['completed', 'failed', 'cancelled'].map((how) => Number(over[`${how}_patients`]));
    assert.equal(started, ended[0]! + ended[1]! + ended[2]!);
    assert.equal(over.status, 'CANCELLED');
    assert.equal(existsSync(join(cwd, 'data', 'pgdata')), true);
  });
});
