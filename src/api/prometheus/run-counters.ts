import { isOver, type RunStatus } from '../../domain/run-state.ts';
import { decodeHistogram } from '../../metrics/histogram.ts';
import { SERIES } from '../../metrics/series.ts';
import type { RunTotals } from '../../metrics/totals.ts';
import type { RunSummary, ServerStore } from '../../storage/server-port.ts';
import type { PrometheusMetric } from './declarations.ts';

export type CounterStore = Pick<ServerStore, 'listRunSummaries' | 'totalsOfRuns' | 'runSummary'>;

export interface Increase {
  metric: PrometheusMetric;
  labels: Readonly<Record<string, string>>;
  /** Above 0. */
  by: number;
}

/** Ledger totals of single runs as counters of all of them: what was added since the last time. */
export interface RunCounters {
  /** What there is at the first call is where counting starts. */
  increases(): Promise<Increase[]>;
}

/** Runs that may start and end between two scrapes. */
const NEWEST_RUNS = 200;
/** Of a job, and of the wires; the steps of templates have any number of series. */
const BOUNDED_SERIES = new Set(Object.keys(SERIES));

/** Limits of the buckets, seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const BUCKETS_US = BUCKETS.map((seconds) => seconds * 1e6);

type Figures = ReadonlyMap<string, Omit<Increase, 'by'> & { value: number }>;

/** Every count of a run that only grows, by a key of metric and labels. */
function figuresOf(totals: RunTotals, status: RunStatus): Figures {
  const figures = new Map<string, Omit<Increase, 'by'> & { value: number }>();
  const count = (metric: PrometheusMetric, value: number, labels: Record<string, string> = {}): void => {
    figures.set(`${metric} ${Object.values(labels).join(' ')}`, { metric, labels, value });
  };
  if (isOver(status)) count('yeeter_runs_finished_total', 1, { status });
  for (const outcome of ['completed', 'failed', 'cancelled'] as const)
    count('yeeter_patients_total', totals[outcome], { outcome });
  count('yeeter_jobs_queued_total', totals.jobs);
  count('yeeter_jobs_settled_total', totals.jobsSucceeded, { outcome: 'success' });
  count('yeeter_jobs_settled_total', totals.jobsDead, { outcome: 'dead' });
  count('yeeter_job_attempts_total', totals.attemptsSucceeded, { result: 'success' });
  count('yeeter_job_attempts_total', totals.attempts - totals.attemptsSucceeded, { result: 'failure' });
  count('yeeter_job_attempt_seconds_total', totals.attemptDurationSumUs / 1e6);
  const { attemptedInstances, successInstances, successBytes } = totals.dicom;
  count('yeeter_dicom_instances_total', successInstances, { result: 'success' });
  count('yeeter_dicom_instances_total', attemptedInstances - successInstances, { result: 'failure' });
  count('yeeter_dicom_stored_bytes_total', successBytes);
  for (const { series, okCount, okSumUs, okHistogram, failedCount, failedSumUs, bytes } of totals.series) {
    if (!BOUNDED_SERIES.has(series)) continue;
    count('yeeter_operations_total', okCount, { series, result: 'success' });
    count('yeeter_operations_total', failedCount, { series, result: 'failure' });
    count('yeeter_operation_seconds_total', okSumUs / 1e6, { series, result: 'success' });
    count('yeeter_operation_seconds_total', failedSumUs / 1e6, { series, result: 'failure' });
    const counts = okHistogram === null ? [] : decodeHistogram(okHistogram).countsUpTo(BUCKETS_US);
    for (const [at, upTo] of counts.entries())
      count('yeeter_operation_duration_seconds_bucket', upTo, { series, le: String(BUCKETS[at]) });
    count('yeeter_operation_duration_seconds_bucket', okCount, { series, le: '+Inf' });
    if (bytes > 0) count('yeeter_operation_bytes_total', bytes, { series });
  }
  return figures;
}

function growth(before: Figures, after: Figures): Increase[] {
  return [...after].flatMap(([key, { metric, labels, value }]) => {
    const by = value - (before.get(key)?.value ?? 0);
    return by > 0 ? [{ metric, labels, by }] : [];
  });
}

export function createRunCounters(store: CounterStore): RunCounters {
  /** Runs that may still change, with what was counted of them. */
  const open = new Map<number, { counted: Figures; status: RunStatus }>();
  /** Newer runs are new; null before the first call. */
  let newestId: number | null = null;

  /** New runs, and what became of those that were open. */
  const look = async (): Promise<Map<number, RunSummary>> => {
    const newest = await store.listRunSummaries({ limit: NEWEST_RUNS });
    const seen = new Map(newest.map((run) => [run.id, run]));
    for (const run of newest) {
      const isNew = newestId === null ? !isOver(run.status) : run.id > newestId;
      if (isNew) open.set(run.id, { counted: new Map(), status: run.status });
    }
    newestId = Math.max(newestId ?? 0, newest[0]?.id ?? 0);
    for (const id of open.keys()) {
      if (seen.has(id)) continue;
      const run = await store.runSummary(id).catch(() => null);
      if (run) seen.set(id, run);
      else open.delete(id);
    }
    return seen;
  };

  return {
    increases: async () => {
      const first = newestId === null;
      const seen = await look();
      const increases: Increase[] = [];
      for (const totals of await store.totalsOfRuns([...open.keys()])) {
        const run = seen.get(totals.runId)!;
        const { counted } = open.get(totals.runId)!;
        const figures = figuresOf(totals, run.status);
        if (!first) increases.push(...growth(counted, figures));
        if (isOver(run.status)) open.delete(totals.runId);
        else open.set(totals.runId, { counted: figures, status: run.status });
      }
      return increases;
    },
  };
}
