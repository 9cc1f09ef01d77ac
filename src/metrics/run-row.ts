import { type CsvRow, type CsvValue, isoTime, milliseconds } from './csv.ts';
import { summariseSeries } from './series-summary.ts';
import type { RunTotals, SeriesTotals } from './totals.ts';

/** What a row tells of a run; the storage's run record has all of it. */
export interface MeasuredRun {
  id: number;
  userId: number | null;
  status: string;
  template: { name: string };
  identity: { seed: number; namespace: number };
  patientCount: number;
  startedIterations: number;
  createdAtMs: number;
  updatedAtMs: number;
  startedAtMs: number | null;
  completedAtMs: number | null;
}

/** What only an embedding knows: the embedded shape has neither users nor stored templates. */
export interface RunNames {
  username: string | null;
  templateId: number | null;
}

/** Columns of the wire contract, in its order. */
const CONTRACT_COLUMNS = [
  'run_id',
  'user_id',
  'username',
  'template_id',
  'template_name',
  'status',
  'started_at',
  'completed_at',
  'total_patients',
  'queued_job_count',
  'queued_job_max_depth',
  'queued_job_last_depth',
  'queue_publish_sum_ms',
  'queue_publish_min_ms',
  'queue_publish_max_ms',
  'queue_publish_avg_ms',
  'dicom_attempted_instances',
  'dicom_success_instances',
  'dicom_attempted_bytes',
  'dicom_success_bytes',
  'dicom_send_count',
  'dicom_send_sum_ms',
  'dicom_send_min_ms',
  'dicom_send_max_ms',
  'dicom_send_avg_ms',
  'dicom_throughput_sum_mbps',
  'dicom_throughput_min_mbps',
  'dicom_throughput_max_mbps',
  'dicom_throughput_avg_mbps',
  'dicom_throughput_count',
  'worker_job_count',
  'worker_job_success_count',
  'worker_job_duration_sum_ms',
  'worker_job_duration_min_ms',
  'worker_job_duration_max_ms',
  'worker_job_duration_avg_ms',
  'wall_clock_seconds',
  'orders_per_second',
  'step_durations',
  'created_at',
  'updated_at',
] as const;

const ADDED_COLUMNS = [
  'seed',
  'namespace',
  'started_patients',
  'completed_patients',
  'failed_patients',
  'cancelled_patients',
  'job_success_count',
  'job_dead_count',
  'duplicate_count',
  'possibly_repeated_count',
  'studies_stored',
  'orders_accepted_per_second',
  'studies_stored_per_second',
  'dicom_goodput_megabytes_per_second',
  'sut_time_sum_ms',
  'own_time_sum_ms',
  'manifest_sha256',
] as const;

/** Series whose percentiles have columns, by the name of those. */
const PERCENTILE_SERIES = {
  response: 'iteration',
  order_ack: 'order_ack',
  queue_publish: 'queue_publish',
  queue_wait: 'queue_wait',
  worker_job: 'job',
  dicom_association: 'dicom_association',
  dicom_store: 'dicom_store',
} as const;

const PERCENTILES = ['p50', 'p90', 'p95', 'p99'] as const;

type ContractColumn = (typeof CONTRACT_COLUMNS)[number];
type AddedColumn = (typeof ADDED_COLUMNS)[number];
type PercentileColumn = `${keyof typeof PERCENTILE_SERIES}_${(typeof PERCENTILES)[number]}_ms`;

export type RunColumn = ContractColumn | AddedColumn | PercentileColumn;

const PERCENTILE_COLUMNS = (Object.keys(PERCENTILE_SERIES) as (keyof typeof PERCENTILE_SERIES)[]).flatMap(
  (name) => PERCENTILES.map((percentile): PercentileColumn => `${name}_${percentile}_ms`),
);

/** The 41 columns of the contract, then ours. */
export const RUN_CSV_COLUMNS: readonly RunColumn[] = [
  ...CONTRACT_COLUMNS,
  ...ADDED_COLUMNS,
  ...PERCENTILE_COLUMNS,
];

/** Null when there is nothing to divide by. */
function ratio(sum: number, count: number | null): number | null {
  return count === null || count <= 0 ? null : sum / count;
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}

const STEP_SERIES = /^step_(\d+)_(.+)$/;

/** One step of `step_durations`. */
interface StepDuration {
  step_order: number;
  step_type: string;
  count: number;
  total_ms: number | null;
  avg_ms: number | null;
  min_ms: number | null;
  max_ms: number | null;
}

/** Times of the steps that succeeded, in the order of the steps. */
function stepDurations(series: readonly SeriesTotals[]): StepDuration[] {
  const steps = series.flatMap((totals) => {
    const [, order, type] = STEP_SERIES.exec(totals.series) ?? [];
    if (order === undefined || type === undefined) return [];
    return [
      {
        step_order: Number(order),
        step_type: type.toUpperCase(),
        count: totals.okCount,
        total_ms: milliseconds(totals.okSumUs),
        avg_ms: milliseconds(ratio(totals.okSumUs, totals.okCount)),
        min_ms: milliseconds(totals.okMinUs),
        max_ms: milliseconds(totals.okMaxUs),
      },
    ];
  });
  return steps.sort((a, b) => a.step_order - b.step_order);
}

function percentileCells(series: readonly SeriesTotals[]): Record<PercentileColumn, CsvValue> {
  const cells: Partial<Record<PercentileColumn, CsvValue>> = {};
  for (const name of Object.keys(PERCENTILE_SERIES) as (keyof typeof PERCENTILE_SERIES)[]) {
    const totals = series.find((candidate) => candidate.series === PERCENTILE_SERIES[name]);
    const summary = totals ? summariseSeries(totals) : null;
    for (const percentile of PERCENTILES)
      cells[`${name}_${percentile}_ms`] = milliseconds(summary?.[`${percentile}Us`] ?? null);
  }
  return cells as Record<PercentileColumn, CsvValue>;
}

function contractCells(
  run: MeasuredRun,
  totals: RunTotals,
  names: RunNames,
  seconds: number | null,
): CsvRow<ContractColumn> {
  const { dicom } = totals;
  const publish = totals.series.find(({ series }) => series === 'queue_publish');
  return {
    run_id: run.id,
    user_id: run.userId,
    username: names.username,
    template_id: names.templateId,
    template_name: run.template.name,
    status: run.status,
    started_at: isoTime(run.startedAtMs),
    completed_at: isoTime(run.completedAtMs),
    total_patients: run.patientCount,
    queued_job_count: totals.jobs,
    queued_job_max_depth: totals.queueMaxDepth,
    queued_job_last_depth: totals.queueLastDepth,
    queue_publish_sum_ms: milliseconds(publish?.okSumUs ?? 0),
    queue_publish_min_ms: milliseconds(publish?.okMinUs ?? null),
    queue_publish_max_ms: milliseconds(publish?.okMaxUs ?? null),
    queue_publish_avg_ms: publish ? milliseconds(ratio(publish.okSumUs, publish.okCount)) : null,
    dicom_attempted_instances: dicom.attemptedInstances,
    dicom_success_instances: dicom.successInstances,
    dicom_attempted_bytes: dicom.attemptedBytes,
    dicom_success_bytes: dicom.successBytes,
    dicom_send_count: dicom.sendCount,
    dicom_send_sum_ms: milliseconds(dicom.sendSumUs),
    dicom_send_min_ms: milliseconds(dicom.sendMinUs),
    dicom_send_max_ms: milliseconds(dicom.sendMaxUs),
    dicom_send_avg_ms: milliseconds(ratio(dicom.sendSumUs, dicom.sendCount)),
    dicom_throughput_sum_mbps: round(dicom.throughputSumMbps),
    dicom_throughput_min_mbps: round(dicom.throughputMinMbps),
    dicom_throughput_max_mbps: round(dicom.throughputMaxMbps),
    dicom_throughput_avg_mbps: round(ratio(dicom.throughputSumMbps, dicom.throughputCount)),
    dicom_throughput_count: dicom.throughputCount,
    worker_job_count: totals.attempts,
    worker_job_success_count: totals.attemptsSucceeded,
    worker_job_duration_sum_ms: milliseconds(totals.attemptDurationSumUs),
    worker_job_duration_min_ms: milliseconds(totals.attemptDurationMinUs),
    worker_job_duration_max_ms: milliseconds(totals.attemptDurationMaxUs),
    worker_job_duration_avg_ms: milliseconds(ratio(totals.attemptDurationSumUs, totals.attempts)),
    wall_clock_seconds: seconds,
    orders_per_second: round(ratio(totals.completed + totals.failed, seconds)),
    step_durations: JSON.stringify(stepDurations(totals.series)),
    created_at: isoTime(run.createdAtMs),
    updated_at: isoTime(run.updatedAtMs),
  };
}

function addedCells(run: MeasuredRun, totals: RunTotals, seconds: number | null): CsvRow<AddedColumn> {
  const accepted = totals.series.find(({ series }) => series === 'order_ack')?.okCount ?? 0;
  return {
    seed: run.identity.seed,
    namespace: run.identity.namespace,
    started_patients: run.startedIterations,
    completed_patients: totals.completed,
    failed_patients: totals.failed,
    cancelled_patients: totals.cancelled,
    job_success_count: totals.jobsSucceeded,
    job_dead_count: totals.jobsDead,
    duplicate_count: totals.duplicates,
    possibly_repeated_count: totals.possiblyRepeated,
    studies_stored: totals.studiesStored,
    orders_accepted_per_second: round(ratio(accepted, seconds)),
    studies_stored_per_second: round(ratio(totals.studiesStored, seconds)),
    dicom_goodput_megabytes_per_second: round(ratio(totals.dicom.successBytes / 1e6, seconds)),
    sut_time_sum_ms: milliseconds(totals.sutUs),
    own_time_sum_ms: milliseconds(totals.ownUs),
    manifest_sha256: totals.manifestSha256,
  };
}

/**
 * One run in the shape of the wire contract, section "metrics": averages are sum by count and null when the count is
 * 0; rates are taken over the wall clock of the run and are null before its end.
 */
export function runMetricsRow(
  run: MeasuredRun,
  totals: RunTotals,
  names: RunNames = { username: null, templateId: null },
): CsvRow<RunColumn> {
  const { startedAtMs, completedAtMs } = run;
  const seconds =
    startedAtMs === null || completedAtMs === null ? null : (completedAtMs - startedAtMs) / 1000;
  return {
    ...contractCells(run, totals, names, seconds),
    ...addedCells(run, totals, seconds),
    ...percentileCells(totals.series),
  };
}
