import type { Clock } from '../../lib/clock.ts';
import { csvLines } from '../../metrics/csv.ts';
import { RUN_CSV_COLUMNS } from '../../metrics/run-row.ts';
import { WORKER_CSV_COLUMNS } from '../../metrics/worker-row.ts';
import type { RunTotals, StoredAttempt } from '../../storage/port.ts';
import type { AttemptFilter, RunFilter, RunSummary, ServerStore } from '../../storage/server-port.ts';
import type { Handlers } from '../http/handlers.ts';
import { pages } from '../pages.ts';
import { finalTotals } from '../runs/final-totals.ts';
import { runCsvRow, runJsonRow, workerCsvRow, workerJsonRow } from '../runs/metric-rows.ts';

type MetricStore = Pick<ServerStore, 'listRunSummaries' | 'totalsOfRuns' | 'listAttempts'>;

const RUN_PAGE = 100;
const ATTEMPT_PAGE = 5_000;

interface MeasuredRun {
  run: RunSummary;
  totals: RunTotals;
}

/** Runs with their totals; one that was deleted between the two questions is missing. */
async function measuredRuns(store: MetricStore, filter: RunFilter, clock: Clock): Promise<MeasuredRun[]> {
  const runs = await store.listRunSummaries(filter);
  // Whoever asks for one run has often waited for its end.
  if (filter.runId !== undefined && runs[0]) await finalTotals(store, runs[0], clock);
  const totals = new Map(
    (runs.length === 0 ? [] : await store.totalsOfRuns(runs.map(({ id }) => id))).map((of) => [of.runId, of]),
  );
  return runs.flatMap((run) => {
    const ofRun = totals.get(run.id);
    return ofRun ? [{ run, totals: ofRun }] : [];
  });
}

function average(sum: number, count: number): number | null {
  return count === 0 ? null : Math.round((sum / count) * 1000) / 1000;
}

function summariseRuns(runs: readonly ReturnType<typeof runJsonRow>[], measured: readonly MeasuredRun[]) {
  const sum = (of: (one: MeasuredRun) => number): number =>
    measured.reduce((total, one) => total + of(one), 0);
  const rates = runs.flatMap(({ orders_per_second: rate }) => (typeof rate === 'number' ? [rate] : []));
  return {
    run_count: runs.length,
    total_patients: sum(({ run }) => run.patientCount),
    total_worker_jobs: sum(({ totals }) => totals.attempts),
    total_worker_success: sum(({ totals }) => totals.attemptsSucceeded),
    total_dicom_instances: sum(({ totals }) => totals.dicom.successInstances),
    total_dicom_bytes: sum(({ totals }) => totals.dicom.successBytes),
    average_orders_per_second: average(
      rates.reduce((total, rate) => total + rate, 0),
      rates.length,
    ),
  };
}

function summariseAttempts(attempts: readonly StoredAttempt[]) {
  const succeeded = attempts.filter(({ outcome }) => outcome === 'success').length;
  const durationUs = attempts.reduce((total, attempt) => total + attempt.durationUs, 0);
  return {
    job_count: attempts.length,
    success_count: succeeded,
    failure_count: attempts.length - succeeded,
    average_duration_ms: average(durationUs / 1000, attempts.length),
  };
}

/** Rows over all runs that the caller may see, whole or by page. */
export function createMetricRoutes({
  store,
  clock,
}: {
  store: MetricStore;
  clock: Clock;
}): Pick<Handlers, 'runsMetrics' | 'workersMetrics'> {
  return {
    runsMetrics: async ({ user, query }) => {
      const filter: Omit<RunFilter, 'limit'> = {
        ...(user.isAdmin ? {} : { userId: user.id }),
        ...(query.run_id === undefined ? {} : { runId: query.run_id }),
        ...(query.template_id === undefined ? {} : { templateId: query.template_id }),
        ...(query.status === undefined ? {} : { status: query.status }),
        ...(query.start_at === undefined ? {} : { startedFromMs: query.start_at }),
        ...(query.end_at === undefined ? {} : { completedToMs: query.end_at }),
      };
      if (query.format === 'csv') {
        const all = pages({
          pageSize: RUN_PAGE,
          limit: query.limit ?? null,
          read: (page) => measuredRuns(store, { ...filter, ...page }, clock),
          idOf: ({ run }) => run.id,
        });
        return {
          status: 200,
          csv: csvLines(
            RUN_CSV_COLUMNS,
            mapped(all, (one) => runCsvRow(one.run, one.totals)),
          ),
        };
      }
      const measured = await measuredRuns(store, { ...filter, limit: query.limit ?? 100 }, clock);
      const runs = measured.map(({ run, totals }) => runJsonRow(run, totals));
      return { status: 200, body: { summary: summariseRuns(runs, measured), runs } };
    },

    workersMetrics: async ({ user, query }) => {
      const filter: Omit<AttemptFilter, 'limit'> = {
        ...(user.isAdmin ? {} : { userId: user.id }),
        ...(query.run_id === undefined ? {} : { runId: query.run_id }),
        ...(query.queue === undefined ? {} : { queue: query.queue }),
        ...(query.success === undefined ? {} : { success: query.success }),
      };
      if (query.format === 'csv') {
        const all = pages({
          pageSize: ATTEMPT_PAGE,
          limit: query.limit ?? null,
          read: (page) => store.listAttempts({ ...filter, ...page }),
          idOf: ({ id }) => id,
        });
        return { status: 200, csv: csvLines(WORKER_CSV_COLUMNS, mapped(all, workerCsvRow)) };
      }
      const attempts = await store.listAttempts({ ...filter, limit: query.limit ?? 200 });
      const body = { summary: summariseAttempts(attempts), metrics: attempts.map(workerJsonRow) };
      return { status: 200, body };
    },
  };
}

async function* mapped<In, Out>(rows: AsyncIterable<In>, map: (row: In) => Out): AsyncGenerator<Out> {
  for await (const row of rows) yield map(row);
}
