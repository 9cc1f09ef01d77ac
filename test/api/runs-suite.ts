import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventStatus } from '../../src/storage/port.ts';
import { attemptRow, batchOf, eventRow, newRun, windowRow } from '../conformance/ledger-rows.ts';
import type { Person, TestApi } from '../support/api.ts';
import { until } from '../support/until.ts';
import { startRun } from './catalogue.ts';

/** Runs that were started: section 3 of the contract. */
export function runsConform(api: () => TestApi): void {
  const over = async (runId: number): Promise<void> => {
    await api().store.transitionRun(runId, 'start');
    await api().store.transitionRun(runId, 'over_ok', { startedIterations: 3 });
  };
  const status = async (method: 'GET' | 'POST' | 'DELETE', path: string, as: Person): Promise<number> =>
    (await api().call(method, path, { as })).status;

  describe('runs', () => {
    it('are listed, those of the caller alone, newest first', async () => {
      const owner = await api().user();
      const ids = [await startRun(api(), owner), await startRun(api(), owner)];
      const runs = await api().ok('listRuns', { as: owner });
      assert.deepEqual(
        runs.map(({ id }) => id),
        ids.toReversed(),
      );
      assert.deepEqual(Object.keys(runs[0]!).slice(0, 7), [
        'id',
        'user_id',
        'template_id',
        'patient_count',
        'status',
        'started_at',
        'completed_at',
      ]);
      const page = await api().ok('listRuns', { as: owner, query: { limit: 1, before_id: ids[1]! } });
      assert.deepEqual(
        page.map(({ id }) => id),
        [ids[0]],
      );
      assert.ok((await api().ok('listRuns')).every(({ user_id: user }) => user === api().admin.id));
    });

    it('of everybody, and those that no user has, are listed for an administrator who asks for all', async () => {
      const owner = await api().user();
      const theirs = await startRun(api(), owner);
      const { id: nobodys } = await api().store.createRun(newRun());
      const all = await api().ok('listRuns', { query: { all: true, limit: 2 } });
      assert.deepEqual(
        all.map(({ id, username }) => [id, username]),
        [
          [nobodys, null],
          [theirs, owner.username],
        ],
      );
      const own = await api().ok('listRuns', { as: owner, query: { all: true } });
      assert.deepEqual(
        own.map(({ id }) => id),
        [theirs],
      );
    });

    it('show a window of their events, always in ascending time', async () => {
      const id = await startRun(api(), api().admin);
      const events = [1, 2, 3, 4, 5].map((n) =>
        eventRow(id, { timestampMs: n * 1000, details: `line ${n}` }),
      );
      await api().store.writeLedger(batchOf({ events }));
      const lines = async (query: Record<string, string | number>) => {
        const run = await api().ok('getRun', { params: { id }, query });
        return { run, lines: run.events.map(({ details }) => details.slice(-1)).join('') };
      };
      const all = await lines({});
      assert.equal(all.lines, '12345');
      assert.deepEqual(Object.keys(all.run).slice(7, 15), [
        'events',
        'events_limit',
        'events_offset',
        'events_order',
        'events_total',
        'events_returned',
        'events_remaining',
        'events_truncated',
      ]);
      assert.deepEqual(Object.keys(all.run.events[0]!), [
        'id',
        'timestamp',
        'step_order',
        'iteration',
        'status',
        'details',
      ]);
      assert.equal(all.run.events_limit, 2000);
      assert.equal(all.run.events_truncated, false);
      const newest = await lines({ events_limit: 2 });
      assert.equal(newest.lines, '45');
      assert.equal(newest.run.events_total, 5);
      assert.equal(newest.run.events_returned, 2);
      assert.equal(newest.run.events_remaining, 3);
      assert.equal(newest.run.events_truncated, true);
      assert.equal((await lines({ events_limit: 2, events_offset: 1 })).lines, '34');
      const oldest = await lines({ events_limit: 2, events_offset: 3, events_order: 'asc' });
      assert.equal(oldest.lines, '45');
      assert.equal(oldest.run.events_remaining, 0);
    });

    it('have stats in which the kinds and the steps add up to the total, whatever was stored', async () => {
      const id = await startRun(api(), api().admin, { patient_count: 100 });
      const event = (stepOrder: number, kind: EventStatus, iteration = 0) =>
        eventRow(id, { stepOrder, status: kind, iteration, details: `${kind} ${stepOrder}` });
      const events = [
        event(0, 'INFO'),
        event(1, 'SUCCESS', 1),
        event(2, 'SUCCESS', 1),
        event(2, 'FAILURE', 2),
        event(2, 'DEBUG', 2),
        event(999, 'WARN'),
      ];
      const second = 1_790_000_000;
      const windows = [
        windowRow(id, second, { series: 'step_1_generate_hl7', okCount: 90 }),
        windowRow(id, second, { series: 'step_2_send_mllp', okCount: 80, failedCount: 1 }),
      ];
      await api().store.writeLedger(batchOf({ events, windows }));
      await api().store.transitionRun(id, 'start');
      const stats = await api().ok('runStats', { params: { id } });
      assert.equal(stats.success_events, 170);
      assert.equal(stats.failure_events, 1);
      assert.equal(stats.total_events, 174);
      const { success_events, failure_events, warning_events, info_events, debug_events } = stats;
      assert.equal(
        success_events + failure_events + warning_events + info_events + debug_events,
        stats.total_events,
      );
      assert.equal(
        stats.steps.reduce((sum, step) => sum + step.total_events, 0),
        stats.total_events,
      );
      assert.equal(stats.unique_steps, 4);
      assert.equal(stats.max_iteration, 2);
      assert.equal(stats.last_failure?.details, 'FAILURE 2');
      assert.deepEqual(Object.keys(stats), [
        'run_id',
        'user_id',
        'template_id',
        'patient_count',
        'status',
        'started_at',
        'completed_at',
        'duration_seconds',
        'first_event_at',
        'last_event_at',
        'total_events',
        'success_events',
        'failure_events',
        'warning_events',
        'info_events',
        'debug_events',
        'unique_steps',
        'max_iteration',
        'last_failure',
        'steps',
        'step_duration_summary',
      ]);
      assert.deepEqual(stats.step_duration_summary[0], {
        step_order: 1,
        step_type: 'GENERATE_HL7',
        count: 90,
        total_ms: 0.4,
        avg_ms: 0.004,
        min_ms: 0.1,
        max_ms: 0.3,
        last_ms: 0.2,
      });
    });

    it('have metrics: the contract’s fields, a window of attempts, then ours', async () => {
      const id = await startRun(api(), api().admin);
      const attempts = [1, 2, 3].map((n) =>
        attemptRow(id, {
          patientIteration: n,
          workerId: n === 3 ? 'w2' : 'w1',
          createdAtMs: 1_790_000_000_000 + n * 1000,
        }),
      );
      const windows = [0, 1, 2, 3].map((n) => windowRow(id, 1_790_000_000 + n));
      const depth = {
        runId: id,
        queue: 'q',
        second: 1_790_000_000,
        ready: 4,
        unacknowledged: 1,
        consumers: 2,
      };
      await api().store.writeLedger(batchOf({ attempts, windows, depths: [depth] }));
      const metrics = await api().ok('runMetrics', {
        params: { id },
        query: { jobs_limit: 2, series_points: 2, series_percentiles: true },
      });
      assert.equal(metrics.run_id, id);
      assert.equal(metrics.worker_job_count, 3);
      assert.deepEqual(
        metrics.worker_jobs.map(({ patient_iteration: n }) => n),
        [3, 2],
      );
      assert.equal(metrics.worker_jobs_total, 3);
      assert.equal(metrics.worker_jobs_remaining, 1);
      assert.equal(metrics.worker_jobs_truncated, true);
      const ack = metrics.series.find(({ series }) => series === 'order_ack')!;
      assert.equal(ack.count, 8);
      assert.ok(ack.p99_ms! >= 0.29 && ack.p99_ms! <= 0.31);
      assert.deepEqual(
        metrics.workers.map(({ worker_id: worker, job_count: jobs }) => [worker, jobs]),
        [
          ['w1', 2],
          ['w2', 1],
        ],
      );
      const points = metrics.time_series.series.order_ack!;
      assert.equal(metrics.time_series.bucket_seconds, 2);
      assert.equal(
        points.reduce((sum, { count }) => sum + count, 0),
        8,
      );
      assert.ok(points.length <= 3);
      assert.ok(points[0]!.p95_ms! > 0);
      assert.deepEqual(metrics.queue_depths, [
        { queue: 'q', at: '2026-09-21T14:13:20.000Z', ready: 4, unacknowledged: 1, consumers: 2 },
      ]);
      const none = await api().ok('runMetrics', {
        params: { id },
        query: { series_points: 0, jobs_order: 'asc' },
      });
      assert.deepEqual(none.time_series.series, {});
      assert.equal(none.worker_jobs[0]!.patient_iteration, 1);
      assert.equal(
        await status('GET', `/api/simulator/runs/${id}/metrics?jobs_limit=2001`, api().admin),
        422,
      );
    });

    it('are cancelled once, by their user, while they are not over', async () => {
      const owner = await api().user();
      const stranger = await api().user();
      const id = await startRun(api(), owner);
      const path = `/api/simulator/runs/${id}/cancel`;
      assert.equal(await status('POST', path, stranger), 403);
      const reply = await api().call('POST', path, { as: owner });
      assert.equal(reply.status, 202);
      assert.deepEqual(reply.body, { message: 'Cancellation requested.', run_id: id });
      assert.equal((await api().store.getRun(id)).cancelRequested, true);
      assert.equal(await status('POST', '/api/simulator/runs/999999/cancel', owner), 404);
      const done = await startRun(api(), owner);
      await over(done);
      assert.equal(await status('POST', `/api/simulator/runs/${done}/cancel`, owner), 409);
      assert.equal(await status('POST', `/api/simulator/runs/${done}/cancel`, api().admin), 409);
    });

    it('are deleted with their rows; an active one is cancelled first', async () => {
      const owner = await api().user();
      const done = await startRun(api(), owner);
      await over(done);
      assert.equal(await status('DELETE', `/api/simulator/runs/${done}`, owner), 204);
      assert.equal(await status('GET', `/api/simulator/runs/${done}`, owner), 404);
      assert.equal(await status('DELETE', `/api/simulator/runs/${done}`, owner), 404);
      const active = await startRun(api(), owner);
      const deleting = status('DELETE', `/api/simulator/runs/${active}`, owner);
      await until(async () => (await api().store.getRun(active)).cancelRequested, 'the run is cancelled');
      await api().store.transitionRun(active, 'over_cancelled');
      assert.equal(await deleting, 204);
      await until(
        async () => (await status('GET', `/api/simulator/runs/${active}`, owner)) === 404,
        'it is gone',
      );
    });

    it('are deleted all at once, one’s own alone', async () => {
      const owner = await api().user();
      for (let i = 0; i < 3; i++) await over(await startRun(api(), owner));
      const foreign = await startRun(api(), api().admin);
      assert.equal(await status('DELETE', '/api/simulator/runs', owner), 204);
      assert.deepEqual(await api().ok('listRuns', { as: owner }), []);
      assert.equal((await api().store.getRun(foreign)).id, foreign);
    });

    it('of another user are not there, but for administrators', async () => {
      const owner = await api().user();
      const stranger = await api().user();
      const id = await startRun(api(), owner);
      for (const path of ['', '/stats', '/metrics']) {
        assert.equal(await status('GET', `/api/simulator/runs/${id}${path}`, stranger), 404);
        assert.equal(await status('GET', `/api/simulator/runs/${id}${path}`, api().admin), 200);
      }
      assert.equal(await status('DELETE', `/api/simulator/runs/${id}`, stranger), 404);
      const watch = api().api.mayWatch;
      assert.equal(await watch({ id: stranger.id, isAdmin: false }, id), false);
      assert.equal(await watch({ id: owner.id, isAdmin: false }, id), true);
      assert.equal(await watch({ id: stranger.id, isAdmin: true }, id), true);
      assert.equal(await watch({ id: stranger.id, isAdmin: true }, 999_999), false);
    });
  });
}
