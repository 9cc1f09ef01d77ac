import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { delay } from '../../src/lib/lifecycle.ts';
import { RUN_CSV_COLUMNS } from '../../src/metrics/run-row.ts';
import { attemptRow, batchOf, eventRow } from '../conformance/ledger-rows.ts';
import { OWNER, useLive } from '../support/live-runs.ts';
import { until } from '../support/until.ts';

describe('what a watcher of a run is told', () => {
  const on = useLive();

  it('each event once and in order, from the moment it joined', async () => {
    const run = await on.createRun();
    await on.writeEvents(run.id, 3, { details: 'before' });
    const watchers = [
      await on.server.connect(`user:${OWNER}`),
      await on.server.connect('admin:1', { transports: ['websocket'] }),
    ];
    const last = await watchers[0]!.join(run.id);
    await watchers[1]!.join(run.id);
    for (let n = 0; n < 6; n++) {
      await on.writeEvents(run.id, 2, { iteration: n });
      await delay(30);
    }
    for (const watcher of watchers) {
      await until(() => watcher.of('sim_log_update').length === 12);
      const stored = await on.store.readEvents(run.id, { afterId: Number(last.last_event_id), limit: 100 });
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
    const run = await on.createRun();
    const client = await on.server.connect(`user:${OWNER}`);
    await client.join(run.id);
    await on.opened.writeLedger(batchOf({ events: [eventRow(run.id, { details: 'unannounced' })] }));
    await on.opened.transitionRun(run.id, 'start');
    await until(() => client.of('sim_log_update').length === 1);
    await until(() => client.of('sim_run_status_update').length === 2);
    assert.deepEqual(client.of('sim_run_status_update'), [
      { run_id: run.id, status: 'PENDING' },
      { run_id: run.id, status: 'RUNNING' },
    ]);
  });

  it('a burst of more than 20 events whole and in order, over more than a second', async () => {
    const run = await on.createRun();
    const client = await on.server.connect(`user:${OWNER}`);
    await client.join(run.id);
    const startedMs = performance.now();
    await on.writeEvents(run.id, 50);
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
    const run = await on.createRun();
    const client = await on.server.connect(`user:${OWNER}`);
    await client.join(run.id);
    await on.store.transitionRun(run.id, 'start');
    await on.writeEvents(run.id, 1, { details: 'the last line' });
    await on.store.transitionRun(run.id, 'over_ok', { startedIterations: 0 });
    await until(() => client.of('sim_run_status_update').some(({ status }) => status === 'COMPLETED'));
    const order = client.heard.map(({ event, payload }) => payload.status ?? event);
    assert.ok(order.indexOf('sim_log_update') < order.indexOf('COMPLETED'), order.join(' '));
  });

  it('each attempt with the metrics of the run, and the queued job before it', async () => {
    const run = await on.createRun();
    const client = await on.server.connect(`user:${OWNER}`);
    await client.join(run.id);
    await on.store.transitionRun(run.id, 'start');
    const queued = { jobId: crypto.randomUUID(), queue: 'orders', patientIteration: 1, repeatIteration: 0 };
    on.live.publish({ kind: 'run', runId: run.id, queued: [queued] });
    on.live.publish({ kind: 'run', runId: run.id, queued: [queued] });
    await until(() => client.of('simulation_async_job_queued').length > 0);
    const { jobId } = queued;
    const failed = { outcome: 'retried', errorCode: 'MLLP_TIMEOUT', error: 'no answer' } as const;
    const common = { jobId, queue: 'orders', remainingSteps: 1 };
    await on.store.writeLedger(batchOf({ attempts: [attemptRow(run.id, { ...common, ...failed })] }));
    await on.store.writeLedger(
      batchOf({ attempts: [attemptRow(run.id, { ...common, attempt: 2, remainingSteps: 0 })] }),
    );
    const unheard = attemptRow(run.id, { queue: 'orders', patientIteration: 2 });
    await on.store.writeLedger(batchOf({ attempts: [unheard] }));
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
      ...'id run_id job_id queue success outcome error duration_ms steps_executed remaining_steps'.split(' '),
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
    const run = await on.createRun();
    const client = await on.server.connect(`user:${OWNER}`);
    await client.join(run.id);
    await on.store.transitionRun(run.id, 'start');
    const rows = (n: number) =>
      Array.from({ length: n }, (_, i) => attemptRow(run.id, { outcome: i % 2 === 0 ? 'success' : 'dead' }));
    await on.store.writeLedger(batchOf({ attempts: rows(10) }));
    await on.store.writeLedger(batchOf({ attempts: rows(10) }));
    await on.store.transitionRun(run.id, 'over_failed', { startedIterations: 0 });
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
    const run = await on.createRun();
    const client = await on.server.connect(`user:${OWNER}`);
    await client.join(run.id);
    for (let n = 0; n < 10; n++) {
      const attempts = Array.from({ length: 500 }, (_, i) =>
        attemptRow(run.id, { patientIteration: n * 500 + i + 1 }),
      );
      await on.store.writeLedger(batchOf({ attempts }));
    }
    const newest = (await on.store.listAttempts({ runId: run.id, limit: 1 }))[0]!.id;
    const heard = (): number[] =>
      client.of<Completed>('simulation_async_job_completed').map(({ job }) => Number(job.id));
    await until(() => heard().at(-1) === newest);
    const ids = heard();
    assert.ok(ids.length < 400);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('nothing of a room that it has left', async () => {
    const run = await on.createRun();
    const client = await on.server.connect(`user:${OWNER}`);
    const stays = await on.server.connect('admin:1');
    await client.join(run.id);
    await stays.join(run.id);
    await client.socket.emitWithAck('leave_run_room', { run_id: run.id });
    await on.writeEvents(run.id, 1);
    await until(() => stays.of('sim_log_update').length === 1);
    assert.deepEqual(client.of('sim_log_update'), []);
  });
});

interface Completed {
  run_id: number;
  job: Record<string, unknown>;
  metrics: Record<string, unknown> | null;
  retrying: boolean;
  retry_attempt: number;
  retry_max_attempts: number;
}
