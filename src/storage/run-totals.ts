import type { DicomAccounts } from '../domain/job.ts';
import { manifestHash } from '../domain/manifest.ts';
import { YeeterError } from '../lib/errors.ts';
import { createSeriesMerger } from '../metrics/merge-series.ts';
import type { WindowRow } from '../metrics/series.ts';
import type { RunTotals, SeriesTotals } from '../metrics/totals.ts';
import type { SqlQueries } from './sql-executor.ts';

const MAX_FAILURES = 20;
/** Windows of so many rows are merged at a time; each holds two histograms of about a kilobyte. */
const WINDOW_PAGE = 2_000;

const ITERATION_TOTALS = `
select
  count(*) filter (where outcome = 'completed') completed,
  count(*) filter (where outcome = 'failed') failed,
  count(*) filter (where outcome = 'cancelled') cancelled,
  coalesce(sum(sut_us), 0) sut_us,
  coalesce(sum(own_us), 0) own_us,
  coalesce(sum(cardinality(study_instance_uids)) filter (
    where outcome = 'completed' and dicom_success_instances > 0), 0) studies_stored,
  coalesce(sum(dicom_attempted_instances), 0) attempted_instances,
  coalesce(sum(dicom_success_instances), 0) success_instances,
  coalesce(sum(dicom_attempted_bytes), 0) attempted_bytes,
  coalesce(sum(dicom_success_bytes), 0) success_bytes,
  coalesce(sum(dicom_send_count), 0) send_count,
  coalesce(sum(dicom_send_sum_us), 0) send_sum_us,
  min(dicom_send_min_us) send_min_us,
  max(dicom_send_max_us) send_max_us,
  coalesce(sum(dicom_throughput_sum_mbps), 0) throughput_sum_mbps,
  min(dicom_throughput_min_mbps) throughput_min_mbps,
  max(dicom_throughput_max_mbps) throughput_max_mbps,
  coalesce(sum(dicom_throughput_count), 0) throughput_count
from iterations where run_id = $1`;

/** Sums of int8 are numeric, so that they do not overflow. */
const MANIFEST_LANES = `
select coalesce(sum(digest0), 0)::text, coalesce(sum(digest1), 0)::text,
  coalesce(sum(digest2), 0)::text, coalesce(sum(digest3), 0)::text
from iterations where run_id = $1`;

const JOB_TOTALS = `
select
  count(*) jobs,
  count(*) filter (where outcome = 'success') succeeded,
  count(*) filter (where outcome = 'dead') dead
from jobs where run_id = $1`;

const ATTEMPT_TOTALS = `
select
  count(*) attempts,
  count(*) filter (where outcome = 'success') succeeded,
  coalesce(sum(duration_us), 0) sum_us,
  min(duration_us) min_us,
  max(duration_us) max_us
from job_attempts where run_id = $1`;

const POSSIBLY_REPEATED = `
select count(*) from (
  select iteration from iterations where run_id = $1 and possibly_repeated
  union
  select patient_iteration from job_attempts where run_id = $1 and possibly_repeated
) repeated`;

const DEPTHS = `
select max(depth), (array_agg(depth order by second desc))[1]
from (
  select second, sum(ready + unacknowledged)::bigint depth from queue_depths where run_id = $1 group by second
) samples`;

/** Messages that differ in identifiers alone (control ids, UIDs, addresses) are one kind; one of them is shown. */
const FAILURES = `
select coalesce(error_code, 'INTERNAL'), coalesce(min(error), ''), count(*), failed_step
from iterations where run_id = $1 and outcome = 'failed'
group by 1, 4, regexp_replace(error, '[[:alnum:].:_-]*[0-9][[:alnum:].:_-]{7,}', '', 'g')
order by 3 desc, 1, 2 limit ${MAX_FAILURES}`;

const WINDOWS = `
select series, process_id, second, ok_count, ok_sum_us, ok_min_us, ok_max_us,
  failed_count, failed_sum_us, failed_min_us, failed_max_us, bytes, ok_histogram, failed_histogram
from metric_windows where run_id = $1 and (second, series, process_id) > ($2, $3, $4)
order by second, series, process_id limit ${WINDOW_PAGE}`;

const number = (value: unknown): number => Number(value);
const maybe = (value: unknown): number | null => (value === null ? null : Number(value));

async function single(tx: SqlQueries, text: string, runId: number): Promise<unknown[]> {
  const [row] = await tx.query(text, [runId]);
  return row!;
}

function dicomAccounts(row: readonly unknown[]): DicomAccounts {
  return {
    attemptedInstances: number(row[0]),
    successInstances: number(row[1]),
    attemptedBytes: number(row[2]),
    successBytes: number(row[3]),
    sendCount: number(row[4]),
    sendSumUs: number(row[5]),
    sendMinUs: maybe(row[6]),
    sendMaxUs: maybe(row[7]),
    throughputSumMbps: number(row[8]),
    throughputMinMbps: maybe(row[9]),
    throughputMaxMbps: maybe(row[10]),
    throughputCount: number(row[11]),
  };
}

function windowOf(runId: number, row: readonly unknown[]): WindowRow {
  return {
    runId,
    series: String(row[0]),
    processId: String(row[1]),
    second: number(row[2]),
    okCount: number(row[3]),
    okSumUs: number(row[4]),
    okMinUs: maybe(row[5]),
    okMaxUs: maybe(row[6]),
    failedCount: number(row[7]),
    failedSumUs: number(row[8]),
    failedMinUs: maybe(row[9]),
    failedMaxUs: maybe(row[10]),
    bytes: number(row[11]),
    okHistogram: row[12] as string | null,
    failedHistogram: row[13] as string | null,
  };
}

async function readSeries(tx: SqlQueries, runId: number): Promise<SeriesTotals[]> {
  const merger = createSeriesMerger();
  let last: [number, string, string] = [-1, '', ''];
  for (;;) {
    const rows = await tx.query(WINDOWS, [runId, ...last]);
    for (const row of rows) {
      const window = windowOf(runId, row);
      merger.add(window);
      last = [window.second, window.series, window.processId];
    }
    if (rows.length < WINDOW_PAGE) return merger.totals();
  }
}

/** All figures of one moment. @throws {YeeterError} RUN_NOT_FOUND */
export async function readRunTotals(tx: SqlQueries, runId: number): Promise<RunTotals> {
  await tx.query('set transaction isolation level repeatable read');
  const [run] = await tx.query('select duplicate_count from runs where id = $1', [runId]);
  if (!run) throw new YeeterError('RUN_NOT_FOUND', `there is no run ${runId}`);
  const iterations = await single(tx, ITERATION_TOTALS, runId);
  const lanes = await single(tx, MANIFEST_LANES, runId);
  const jobs = await single(tx, JOB_TOTALS, runId);
  const attempts = await single(tx, ATTEMPT_TOTALS, runId);
  const repeated = await single(tx, POSSIBLY_REPEATED, runId);
  const depths = await single(tx, DEPTHS, runId);
  const failures = await tx.query(FAILURES, [runId]);
  return {
    runId,
    completed: number(iterations[0]),
    failed: number(iterations[1]),
    cancelled: number(iterations[2]),
    jobs: number(jobs[0]),
    jobsSucceeded: number(jobs[1]),
    jobsDead: number(jobs[2]),
    attempts: number(attempts[0]),
    attemptsSucceeded: number(attempts[1]),
    attemptDurationSumUs: number(attempts[2]),
    attemptDurationMinUs: maybe(attempts[3]),
    attemptDurationMaxUs: maybe(attempts[4]),
    duplicates: number(run[0]),
    possiblyRepeated: number(repeated[0]),
    sutUs: number(iterations[3]),
    ownUs: number(iterations[4]),
    dicom: dicomAccounts(iterations.slice(6)),
    studiesStored: number(iterations[5]),
    queueMaxDepth: maybe(depths[0]),
    queueLastDepth: maybe(depths[1]),
    manifestSha256: manifestHash([String(lanes[0]), String(lanes[1]), String(lanes[2]), String(lanes[3])]),
    failures: failures.map(([code, message, count, failedStep]) => ({
      code: String(code),
      message: String(message),
      count: number(count),
      failedStep: maybe(failedStep),
    })),
    series: await readSeries(tx, runId),
  };
}
