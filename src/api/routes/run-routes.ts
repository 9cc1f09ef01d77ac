import { isOver } from '../../domain/run-state.ts';
import type { Clock } from '../../lib/clock.ts';
import { YeeterError } from '../../lib/errors.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import type { Handlers, User } from '../http/handlers.ts';
import type { RunDeletion } from '../runs/delete-runs.ts';
import { finalTotals } from '../runs/final-totals.ts';
import { runJsonRow, workerJsonRow } from '../runs/metric-rows.ts';
import { mayRead, runFor } from '../runs/run-access.ts';
import { depthsToWire, failuresToWire, seriesToWire, workerToWire } from '../runs/run-metrics.ts';
import { runStats } from '../runs/run-stats.ts';
import { addedRunFields, eventToWire, runFields } from '../runs/run-wire.ts';
import type { createRunStart } from '../runs/start-run.ts';
import { timeSeries } from '../runs/time-series.ts';

export interface RunRoutesDeps {
  store: Pick<
    ServerStore,
    | 'listRunSummaries'
    | 'runSummary'
    | 'eventWindow'
    | 'eventFacts'
    | 'attemptWindow'
    | 'totalsOfRuns'
    | 'workerThroughput'
    | 'readWindows'
    | 'readDepths'
    | 'requestCancel'
  >;
  startRun: ReturnType<typeof createRunStart>;
  deletion: RunDeletion;
  clock: Clock;
}

interface StartBody {
  patient_count: number;
  seed?: number | null | undefined;
  load?: { concurrency: number } | null | undefined;
  on_failure?: 'continue' | 'fail_run' | null | undefined;
  tags?: string[] | null | undefined;
}

/** What follows a window of rows. */
function windowOf(limit: number, offset: number, returned: number, total: number) {
  const remaining = Math.max(0, total - offset - returned);
  return { limit, offset, total, returned, remaining, truncated: returned < total };
}

type Names =
  | 'startRun'
  | 'startRunOfTemplate'
  | 'listRuns'
  | 'deleteRuns'
  | 'getRun'
  | 'deleteRun'
  | 'runStats'
  | 'runMetrics'
  | 'cancelRun';

export function createRunRoutes(deps: RunRoutesDeps): Pick<Handlers, Names> {
  const { store, startRun, deletion, clock } = deps;

  const start = (user: User, templateId: number, body: StartBody) =>
    startRun(user, {
      templateId,
      patientCount: body.patient_count,
      seed: body.seed ?? null,
      concurrency: body.load?.concurrency ?? null,
      onFailure: body.on_failure ?? null,
      tags: body.tags ?? [],
    });

  return {
    startRun: async ({ user, body }) => {
      const { id } = await start(user, body.template_id, body);
      return { status: 202, body: { message: `Run ${id} was started.`, run_id: id } };
    },

    startRunOfTemplate: async ({ user, params, body }) => {
      const { id, patientCount } = await start(user, params.template_id, body);
      return {
        status: 202,
        body: {
          message: `Run ${id} was started.`,
          run_id: id,
          template_id: params.template_id,
          patient_count: patientCount,
          status_url: `/api/simulator/runs/${id}`,
        },
      };
    },

    listRuns: async ({ user, query }) => {
      const runs = await store.listRunSummaries({
        limit: query.limit,
        ...(query.all && user.isAdmin ? {} : { userId: user.id }),
        ...(query.before_id === undefined ? {} : { beforeId: query.before_id }),
        ...(query.status === undefined ? {} : { status: query.status }),
        ...(query.template_id === undefined ? {} : { templateId: query.template_id }),
      });
      return { status: 200, body: runs.map((run) => ({ ...runFields(run), ...addedRunFields(run) })) };
    },

    deleteRuns: async ({ user }) => {
      await deletion.deleteAllOf(user.id);
      return { status: 204 };
    },

    getRun: async ({ user, params, query }) => {
      const run = await runFor(store, user, params.id);
      const { events_limit: limit, events_offset: offset, events_order: order } = query;
      const { total, events } = await store.eventWindow(run.id, { limit, offset, order });
      const window = windowOf(limit, offset, events.length, total);
      const body = {
        ...runFields(run),
        events: events.map(eventToWire),
        events_limit: limit,
        events_offset: offset,
        events_order: order,
        events_total: total,
        events_returned: window.returned,
        events_remaining: window.remaining,
        events_truncated: window.truncated,
        ...addedRunFields(run),
      };
      return { status: 200, body };
    },

    deleteRun: async ({ user, params }) => {
      await deletion.deleteOne(await runFor(store, user, params.id));
      return { status: 204 };
    },

    runStats: async ({ user, params }) => {
      const run = await runFor(store, user, params.id);
      const [facts, totals] = await Promise.all([store.eventFacts(run.id), finalTotals(store, run, clock)]);
      return { status: 200, body: runStats(run, facts, totals?.series ?? [], clock.nowMs()) };
    },

    runMetrics: async ({ user, params, query }) => {
      const run = await runFor(store, user, params.id);
      const { jobs_limit: limit, jobs_offset: offset, jobs_order: order } = query;
      const totals = await finalTotals(store, run, clock);
      if (!totals) throw new YeeterError('RUN_NOT_FOUND', `there is no run ${run.id}`);
      const { total, attempts } = await store.attemptWindow(run.id, { limit, offset, order });
      const window = windowOf(limit, offset, attempts.length, total);
      const body = {
        ...runJsonRow(run, totals),
        worker_jobs: attempts.map(workerJsonRow),
        worker_jobs_limit: limit,
        worker_jobs_offset: offset,
        worker_jobs_order: order,
        worker_jobs_total: total,
        worker_jobs_returned: window.returned,
        worker_jobs_remaining: window.remaining,
        worker_jobs_truncated: window.truncated,
        series: totals.series.map(seriesToWire),
        workers: (await store.workerThroughput(run.id)).map(workerToWire),
        failures: failuresToWire(totals),
        time_series: await timeSeries(store, totals, {
          points: query.series_points,
          percentiles: query.series_percentiles,
        }),
        queue_depths: depthsToWire(await store.readDepths(run.id)),
      };
      return { status: 200, body };
    },

    cancelRun: async ({ user, params: { id } }) => {
      const run = await store.runSummary(id);
      if (!mayRead(user, run))
        throw new YeeterError('FORBIDDEN', `run ${id} is somebody else's: only its user can cancel it`);
      if (isOver(run.status))
        throw new YeeterError(
          'RUN_STATE',
          `run ${id} is over: it is ${run.status}, so nothing is to be cancelled`,
        );
      await store.requestCancel(id);
      return { status: 202, body: { message: 'Cancellation requested.', run_id: id } };
    },
  };
}
