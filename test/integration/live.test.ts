import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSystemState } from '../../src/api/live/system-state.ts';
import { createPrometheus } from '../../src/api/prometheus/prometheus.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { attemptRow, batchOf, iterationRow, windowRow } from '../conformance/ledger-rows.ts';
import { useLive } from '../support/live-runs.ts';
import { startLiveServer } from '../support/live-server.ts';
import { until } from '../support/until.ts';

describe('what everyone signed in is told', () => {
  const on = useLive();

  it('tells everyone signed in what workers and queues do', async () => {
    let ready = 5;
    const depth = { unacknowledged: 2, consumers: 1, delayed: 1, dead: 3, mode: 'open' } as const;
    const own = await startLiveServer({
      store: on.store,
      live: on.live,
      queues: async () => [
        { queue: 'orders', ready, ...depth, publishedPerSecond: 1.5, acknowledgedPerSecond: null },
      ],
    });
    await on.store.heartbeat({
      workerId: 'w1',
      host: 'here',
      pid: 1,
      version: '0',
      queues: ['orders'],
      concurrency: 4,
      busy: 2,
      held: {},
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
    const client = await on.server.connect('user:9');
    on.live.publish({ kind: 'listener', status: 'running', port: 2575, message: null });
    on.live.publish({ kind: 'listener', status: 'error', port: null, message: 'the port is taken' });
    await until(() => client.of('listener_status').length === 2);
    assert.deepEqual(client.of('listener_status'), [
      { status: 'running', port: 2575 },
      { status: 'error', message: 'the port is taken' },
    ]);
    for (const controlId of ['A1', 'A2', 'A3']) {
      await on.store.addListenerMessage({
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
      store: on.store,
      systemState: createSystemState({ store: on.store, queues, clock, log }),
      sockets: () => on.server.sockets(),
      now: () => nowMs,
      log,
    });
    const scrape = (): Promise<string> => {
      nowMs += 1e6;
      return prometheus.text();
    };
    await scrape();
    const run = await on.createRun();
    await on.store.transitionRun(run.id, 'start');
    await on.store.writeLedger(
      batchOf({
        attempts: [attemptRow(run.id), attemptRow(run.id, { outcome: 'dead' })],
        iterations: [iterationRow(run.id, 1)],
        windows: [windowRow(run.id, 7, { series: 'order_ack', okCount: 4, failedCount: 1 })],
      }),
    );
    await scrape();
    await on.store.transitionRun(run.id, 'over_ok', { startedIterations: 1 });
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
    const script = await fetch(`${on.server.url}/socket.io/socket.io.js`);
    assert.equal(script.status, 200);
    assert.match(await script.text(), /Socket\.IO v4/);
  });
});
