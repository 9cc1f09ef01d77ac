import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Socket } from 'socket.io-client';
import { createSystemState } from '../../src/api/live/system-state.ts';
import { createPrometheus } from '../../src/api/prometheus/prometheus.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import { announceChanges } from '../../src/live/announce.ts';
import { createLocalLive, type LocalLive } from '../../src/live/local-live.ts';
import { RUN_CSV_COLUMNS } from '../../src/metrics/run-row.ts';
import { openPgliteStore, type PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import type { EventRow, RunRecord } from '../../src/storage/port.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';
import {
  attemptRow,
  batchOf,
  eventRow,
  iterationRow,
  newRun,
  windowRow,
} from '../conformance/ledger-rows.ts';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { templateFrom } from '../support/run.ts';
import { until } from '../support/until.ts';

const OWNER = 7;
const TEMPLATE = `
name: live
steps:
  - {step_type: WAIT, parameters: {duration_seconds: 0}}
  - step_type: WAIT
    execution: async
    queue: orders
    retry: {max_attempts: 4}
    parameters: {duration_seconds: 0}
`;

describe('live', () => {
  let dataDir: string;
  let opened: PgliteStore;
  let live: LocalLive;
  let store: ServerStore;
  let server: LiveServer;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'yeeter-live-'));
    opened = await openPgliteStore({ dataDir });
    live = createLocalLive();
    store = announceChanges<ServerStore>(opened, live);
    server = await startLiveServer({ store, live });
  });
  after(async () => {
    await server.close();
    await live.close();
    await opened.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const createRun = (userId = OWNER): Promise<RunRecord> =>
    store.createRun(newRun({ userId, template: templateFrom(TEMPLATE) }));
  const writeEvents = async (runId: number, count: number, change: Partial<EventRow> = {}): Promise<void> => {
    const events = Array.from({ length: count }, (_, n) =>
      eventRow(runId, { details: `line ${n}`, ...change }),
    );
    await store.writeLedger(batchOf({ events }));
  };

  describe('who may watch', () => {
    it('refuses a connection without a valid token, and says why', async () => {
      for (const token of ['', 'nonsense', 'user'])
        await assert.rejects(server.connect(token), (error: Error & { data?: unknown }) => {
          assert.deepEqual((error.data as { code: string }).code, 'UNAUTHENTICATED');
          return true;
        });
    });

    it('lets owners and administrators into the room of a run, and nobody else', async () => {
      const run = await createRun();
      const owner = await server.connect(`user:${OWNER}`);
      const admin = await server.connect('admin:1');
      const other = await server.connect('user:8');
      for (const client of [owner, admin])
        assert.deepEqual(await client.join(run.id), {
          ok: true,
          run_id: run.id,
          status: 'PENDING',
          last_event_id: 0,
        });
      const refusal = { error: `there is no run ${run.id} of yours`, code: 'RUN_NOT_FOUND', run_id: run.id };
      assert.deepEqual(await other.join(run.id), { ok: false, ...refusal });
      await until(() => other.of('error').length > 0);
      assert.deepEqual(other.of('error'), [refusal]);
      await writeEvents(run.id, 1);
      for (const client of [owner, admin]) await until(() => client.of('sim_log_update').length === 1);
      assert.deepEqual(other.of('sim_log_update'), []);
    });

    it('answers nonsense with an error, and stays', async () => {
      const run = await createRun();
      const client = await server.connect(`user:${OWNER}`);
      const nonsense = [
        undefined,
        null,
        7,
        'x',
        {},
        { run_id: null },
        { run_id: -1 },
        { run_id: '7x' },
        { run_id: 1e99 },
        [],
      ];
      for (const payload of nonsense) client.socket.emit('join_run_room', payload);
      client.socket.emit('leave_run_room', { run_id: {} });
      client.socket.emit('no_such_event', {});
      await until(() => client.of('error').length === nonsense.length);
      for (const { code } of client.of('error') as { code: string }[]) assert.equal(code, 'VALIDATION');
      const missing = await client.join(999_999);
      assert.deepEqual([missing.ok, missing.code], [false, 'RUN_NOT_FOUND']);
      assert.equal((await client.socket.emitWithAck('join_run_room', { run_id: String(run.id) })).ok, true);
    });

    it('ends the connection when its token ends', async () => {
      const ending = await startLiveServer({
        store,
        live,
        change: {
          authenticate: async () => ({ id: OWNER, isAdmin: false, expiresAtMs: Date.now() + 300 }),
        },
      });
      const client = await ending.connect('short');
      await until(() => client.socket.disconnected);
      assert.equal((client.of('error')[0] as { code: string }).code, 'UNAUTHENTICATED');
      await ending.close();
    });

    it('takes away what somebody may no longer have', async () => {
      const run = await createRun();
      let rights: { id: number; isAdmin: boolean; expiresAtMs: null } | null = {
        ...{ id: 1, isAdmin: true, expiresAtMs: null },
      };
      const own = await startLiveServer({
        store,
        live,
        change: { authenticate: async () => rights, recheckIntervalMs: 50 },
      });
      const client = await own.connect('somebody');
      await client.join(run.id);
      rights = { ...rights, isAdmin: false };
      await until(async () => {
        const before = client.of('sim_log_update').length;
        await writeEvents(run.id, 1);
        await delay(300);
        return client.of('sim_log_update').length === before;
      });
      rights = null;
      await until(() => client.socket.disconnected);
      await own.close();
    });

    it('ends a client that asks faster than anybody can, and one that sends too much', async () => {
      const fast = await server.connect('user:30', { transports: ['websocket'] });
      for (let n = 0; n < 500; n++) fast.socket.emit('leave_run_room', { run_id: n });
      await until(() => fast.socket.disconnected);
      const large = await server.connect('user:30', { transports: ['websocket'] });
      large.socket.emit('join_run_room', { run_id: 1, more: 'x'.repeat(100_000) });
      await until(() => large.socket.disconnected);
    });

    it('bounds the rooms of a connection and the connections of a user', async () => {
      const run = await createRun(40);
      const client = await server.connect('admin:40', { transports: ['websocket'] });
      const answers: { ok: boolean; code?: string }[] = [];
      for (let n = 0; n < 51; n++) {
        const { id } = n < 50 ? await createRun(40) : run;
        answers.push((await client.join(id)) as { ok: boolean; code?: string });
        await delay(20);
      }
      assert.equal(answers.filter(({ ok }) => ok).length, 50);
      assert.equal(answers.at(-1)!.code, 'TOO_MANY_REQUESTS');
      for (let n = 0; n < 49; n++) await server.connect('user:40', { transports: ['websocket'] });
      await assert.rejects(server.connect('user:40', { transports: ['websocket'] }), /connections open/);
    });
  });

  it('lets a client go that takes nothing up, and goes on with the others', async () => {
    const own = await startLiveServer({ store, live });
    const slow = await own.connect(`user:${OWNER}`, { transports: ['websocket'] });
    const other = await own.connect(`user:${OWNER}`, { transports: ['websocket'] });
    stopReading(slow.socket);
    const message = 'x'.repeat(1_000_000);
    for (let n = 1; n <= 60 && own.sockets() === 2; n++) {
      live.publish({ kind: 'listener', status: 'error', port: null, message });
      await until(() => other.of('listener_status').length === n);
    }
    assert.equal(own.sockets(), 1);
    await own.close();
  });

  describe('what a watcher is told', () => {
    it('each event once and in order, from the moment it joined', async () => {
      const run = await createRun();
      await writeEvents(run.id, 3, { details: 'before' });
      const watchers = [
        await server.connect(`user:${OWNER}`),
        await server.connect('admin:1', { transports: ['websocket'] }),
      ];
      const last = await watchers[0]!.join(run.id);
      await watchers[1]!.join(run.id);
      for (let n = 0; n < 6; n++) {
        await writeEvents(run.id, 2, { iteration: n });
        await delay(30);
      }
      for (const watcher of watchers) {
        await until(() => watcher.of('sim_log_update').length === 12);
        const stored = await store.readEvents(run.id, { afterId: Number(last.last_event_id), limit: 100 });
        assert.deepEqual(
          watcher.of('sim_log_update'),
          stored.map(({ runId, id, timestampMs, stepOrder, iteration, status, details }) => ({
            run_id: runId,
            event: {
              ...{ id, timestamp: new Date(timestampMs).toISOString(), step_order: stepOrder },
              ...{ iteration, status, details },
            },
          })),
        );
      }
    });

    it('a change of which no fact arrived, within the next poll', async () => {
      const run = await createRun();
      const client = await server.connect(`user:${OWNER}`);
      await client.join(run.id);
      await opened.writeLedger(batchOf({ events: [eventRow(run.id, { details: 'unannounced' })] }));
      await opened.transitionRun(run.id, 'start');
      await until(() => client.of('sim_log_update').length === 1);
      await until(() => client.of('sim_run_status_update').length === 2);
      assert.deepEqual(client.of('sim_run_status_update'), [
        { run_id: run.id, status: 'PENDING' },
        { run_id: run.id, status: 'RUNNING' },
      ]);
    });

    it('a burst of more than 20 events whole and in order, over more than a second', async () => {
      const run = await createRun();
      const client = await server.connect(`user:${OWNER}`);
      await client.join(run.id);
      const startedMs = performance.now();
      await writeEvents(run.id, 50);
      await until(() => client.of('sim_log_update').length === 50);
      assert.ok(performance.now() - startedMs > 1_900, '20 a second');
      const lines = client
        .of<{ event: { details: string } }>('sim_log_update')
        .map(({ event }) => event.details);
      assert.deepEqual(
        lines,
        Array.from({ length: 50 }, (_, n) => `line ${n}`),
      );
    });

    it('the statuses of a run, after its rows', async () => {
      const run = await createRun();
      const client = await server.connect(`user:${OWNER}`);
      await client.join(run.id);
      await store.transitionRun(run.id, 'start');
      await writeEvents(run.id, 1, { details: 'the last line' });
      await store.transitionRun(run.id, 'over_ok', { startedIterations: 0 });
      await until(() => client.of('sim_run_status_update').some(({ status }) => status === 'COMPLETED'));
      const order = client.heard.map(({ event, payload }) => payload.status ?? event);
      assert.ok(order.indexOf('sim_log_update') < order.indexOf('COMPLETED'), order.join(' '));
    });

    it('each attempt with the metrics of the run, and the queued job before it', async () => {
      const run = await createRun();
      const client = await server.connect(`user:${OWNER}`);
      await client.join(run.id);
      await store.transitionRun(run.id, 'start');
      const queued = { jobId: crypto.randomUUID(), queue: 'orders', patientIteration: 1, repeatIteration: 0 };
      live.publish({ kind: 'run', runId: run.id, queued: [queued] });
      live.publish({ kind: 'run', runId: run.id, queued: [queued] });
      await until(() => client.of('simulation_async_job_queued').length > 0);
      const { jobId } = queued;
      const failed = { outcome: 'retried', errorCode: 'MLLP_TIMEOUT', error: 'no answer' } as const;
      const common = { jobId, queue: 'orders', remainingSteps: 1 };
      await store.writeLedger(batchOf({ attempts: [attemptRow(run.id, { ...common, ...failed })] }));
      await store.writeLedger(
        batchOf({ attempts: [attemptRow(run.id, { ...common, attempt: 2, remainingSteps: 0 })] }),
      );
      const unheard = attemptRow(run.id, { queue: 'orders', patientIteration: 2 });
      await store.writeLedger(batchOf({ attempts: [unheard] }));
      await until(() => client.of('simulation_async_job_completed').length === 3);
      assert.deepEqual(client.of('simulation_async_job_queued'), [
        {
          run_id: run.id,
          job_id: jobId,
          queued_jobs: 1,
          queue: 'orders',
          patient_iteration: 1,
          repeat_iteration: 0,
        },
        {
          run_id: run.id,
          job_id: unheard.jobId,
          queued_jobs: 2,
          queue: 'orders',
          patient_iteration: 2,
          repeat_iteration: 1,
        },
      ]);
      const [first, second] = client.of<Completed>('simulation_async_job_completed');
      assert.deepEqual(
        [first, second].map(({ retrying, retry_attempt, retry_max_attempts } = {} as Completed) => [
          retrying,
          retry_attempt,
          retry_max_attempts,
        ]),
        [
          [true, 1, 4],
          [false, 2, 4],
        ],
      );
      assert.deepEqual(Object.keys(first!), [
        'run_id',
        'job',
        'metrics',
        'retrying',
        'retry_attempt',
        'retry_max_attempts',
      ]);
      assert.deepEqual(Object.keys(first!.job), [
        ...'id run_id job_id queue success outcome error duration_ms steps_executed remaining_steps'.split(
          ' ',
        ),
        ...'patient_iteration repeat_iteration created_at attempt max_attempts retrying'.split(' '),
      ]);
      assert.deepEqual(Object.keys(second!.metrics ?? {}), RUN_CSV_COLUMNS.slice(0, 41));
      assert.equal(second!.metrics!.run_id, run.id);
      const { success, outcome, attempt, max_attempts: most, retrying } = first!.job;
      assert.deepEqual(
        [first!.run_id, first!.job.job_id, success, outcome, attempt, most, retrying],
        [run.id, jobId, false, 'retried', 1, 4, true],
      );
    });

    it('the progress of the run, up to the last figures', async () => {
      const run = await createRun();
      const client = await server.connect(`user:${OWNER}`);
      await client.join(run.id);
      await store.transitionRun(run.id, 'start');
      const rows = (n: number) =>
        Array.from({ length: n }, (_, i) =>
          attemptRow(run.id, { outcome: i % 2 === 0 ? 'success' : 'dead' }),
        );
      await store.writeLedger(batchOf({ attempts: rows(10) }));
      await store.writeLedger(batchOf({ attempts: rows(10) }));
      await store.transitionRun(run.id, 'over_failed', { startedIterations: 0 });
      const expected = {
        run_id: run.id,
        queued_jobs: 20,
        completed_jobs: 10,
        failed_jobs: 10,
        active_workers: 0,
        remaining_queue_depth: 0,
        average_processing_ms: 1.5,
      };
      const last = () => client.of('simulation_async_progress').at(-1);
      await until(() => last()?.failed_jobs === 10);
      assert.deepEqual(last(), expected);
    });

    it('a sample of very many attempts, with the newest last', async () => {
      const run = await createRun();
      const client = await server.connect(`user:${OWNER}`);
      await client.join(run.id);
      for (let n = 0; n < 10; n++) {
        const attempts = Array.from({ length: 500 }, (_, i) =>
          attemptRow(run.id, { patientIteration: n * 500 + i + 1 }),
        );
        await store.writeLedger(batchOf({ attempts }));
      }
      const newest = (await store.listAttempts({ runId: run.id, limit: 1 }))[0]!.id;
      const heard = (): number[] =>
        client.of<Completed>('simulation_async_job_completed').map(({ job }) => Number(job.id));
      await until(() => heard().at(-1) === newest);
      const ids = heard();
      assert.ok(ids.length < 400);
      assert.equal(new Set(ids).size, ids.length);
    });

    it('nothing of a room that it has left', async () => {
      const run = await createRun();
      const client = await server.connect(`user:${OWNER}`);
      const stays = await server.connect('admin:1');
      await client.join(run.id);
      await stays.join(run.id);
      await client.socket.emitWithAck('leave_run_room', { run_id: run.id });
      await writeEvents(run.id, 1);
      await until(() => stays.of('sim_log_update').length === 1);
      assert.deepEqual(client.of('sim_log_update'), []);
    });
  });

  it('tells everyone signed in what workers and queues do', async () => {
    let ready = 5;
    const depth = { unacknowledged: 2, consumers: 1, delayed: 1, dead: 3, mode: 'open' } as const;
    const own = await startLiveServer({
      store,
      live,
      queues: async () => [
        { queue: 'orders', ready, ...depth, publishedPerSecond: 1.5, acknowledgedPerSecond: null },
      ],
    });
    await store.heartbeat({
      workerId: 'w1',
      host: 'here',
      pid: 1,
      version: '0',
      queues: ['orders'],
      concurrency: 4,
      busy: 2,
      jobs: 9,
      state: 'working',
      startedAtMs: 0,
    });
    const client = await own.connect('user:9');
    await until(() => client.of('worker_metrics_update').length > 0);
    const { at, ...first } = client.of('worker_metrics_update')[0]!;
    assert.ok(!Number.isNaN(Date.parse(String(at))));
    assert.deepEqual(first, {
      queued_jobs: 6,
      active_workers: 1,
      busy_workers: 1,
      average_processing_ms: null,
      remaining_queue_depth: 8,
      jobs_per_second: 0,
      queues: [
        {
          queue: 'orders',
          ready: 5,
          unacknowledged: 2,
          delayed: 1,
          dead: 3,
          consumers: 1,
          mode: 'open',
          published_per_second: 1.5,
          acknowledged_per_second: null,
        },
      ],
    });
    ready = 4;
    await until(() => client.of('worker_metrics_update').some(({ queued_jobs }) => queued_jobs === 5));
    await own.close();
  });

  it('tells everyone signed in what the listener does', async () => {
    const client = await server.connect('user:9');
    live.publish({ kind: 'listener', status: 'running', port: 2575, message: null });
    live.publish({ kind: 'listener', status: 'error', port: null, message: 'the port is taken' });
    await until(() => client.of('listener_status').length === 2);
    assert.deepEqual(client.of('listener_status'), [
      { status: 'running', port: 2575 },
      { status: 'error', message: 'the port is taken' },
    ]);
    for (const controlId of ['A1', 'A2', 'A3']) {
      await store.addListenerMessage({
        receivedAtMs: 0,
        messageType: 'ORM^O01',
        controlId,
        sendingApp: 'YEETER',
        rawMessage: 'MSH|',
      });
    }
    const messages = () => client.of<{ message: Record<string, unknown> }>('new_message_received');
    await until(() => messages().length === 3);
    assert.deepEqual(
      messages().map(({ message }) => message.control_id),
      ['A1', 'A2', 'A3'],
    );
    const { id, ...first } = messages()[0]!.message;
    assert.ok(Number(id) > 0);
    assert.deepEqual(first, {
      timestamp: '1970-01-01T00:00:00.000Z',
      message_type: 'ORM^O01',
      control_id: 'A1',
      sending_app: 'YEETER',
    });
  });

  it('counts for Prometheus what the ledger holds of new runs', async () => {
    const queues = { list: async () => [] };
    const log = (line: string): void => assert.fail(line);
    const clock = systemClock;
    let nowMs = 0;
    await using prometheus = createPrometheus({
      store,
      systemState: createSystemState({ store, queues, clock, log }),
      sockets: () => server.sockets(),
      now: () => nowMs,
      log,
    });
    const scrape = (): Promise<string> => {
      nowMs += 1e6;
      return prometheus.text();
    };
    await scrape();
    const run = await createRun();
    await store.transitionRun(run.id, 'start');
    await store.writeLedger(
      batchOf({
        attempts: [attemptRow(run.id), attemptRow(run.id, { outcome: 'dead' })],
        iterations: [iterationRow(run.id, 1)],
        windows: [windowRow(run.id, 7, { series: 'order_ack', okCount: 4, failedCount: 1 })],
      }),
    );
    await scrape();
    await store.transitionRun(run.id, 'over_ok', { startedIterations: 1 });
    const text = await scrape();
    for (const line of [
      'yeeter_jobs_queued_total 2',
      'yeeter_jobs_settled_total{outcome="dead"} 1',
      'yeeter_operations_total{series="order_ack",result="success"} 4',
      'yeeter_operations_total{series="order_ack",result="failure"} 1',
      'yeeter_runs_finished_total{status="COMPLETED"} 1',
    ])
      assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
  });

  it('serves the client of browsers', async () => {
    const script = await fetch(`${server.url}/socket.io/socket.io.js`);
    assert.equal(script.status, 200);
    assert.match(await script.text(), /Socket\.IO v4/);
  });
});

/** Like a browser that hangs: its system takes what fits into its buffers, and no more. */
function stopReading(socket: Socket): void {
  const { transport } = socket.io.engine as unknown as { transport: { ws: { pause(): void } } };
  transport.ws.pause();
}

interface Completed {
  run_id: number;
  job: Record<string, unknown>;
  metrics: Record<string, unknown> | null;
  retrying: boolean;
  retry_attempt: number;
  retry_max_attempts: number;
}
