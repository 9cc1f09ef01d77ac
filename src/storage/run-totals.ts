import type { DicomAccounts } from '../domain/job.ts';
import { manifestHash } from '../domain/manifest.ts';
import { YeeterError } from '../lib/errors.ts';
import { createSeriesMerger } from '../metrics/merge-series.ts';
import type { WindowRow } from '../metrics/series.ts';
import type { RunTotals, SeriesTotals } from '../metrics/totals.ts';
import type { RunCounts } from './coordination-port.ts';
import { ATTEMPT_SUMS, aggregates, ITERATION_SUMS, JOB_SUMS, namesOf, storedSums } from './run-sums.ts';
import type { SqlQueries } from './sql-executor.ts';

const MAX_FAILURES = 20;
/** Windows of so many rows are merged at a time; each holds two histograms of about a kilobyte. */
const WINDOW_PAGE = 2_000;

const derived = (table: string, sums: typeof ITERATION_SUMS): string =>
  `select ${aggregates(sums)} from ${table} where run_id = $1`;

/** Sums of int8 are numeric, so that they do not overflow. */
const DERIVED = [
  derived('iterations', ITERATION_SUMS),
  derived('jobs', JOB_SUMS),
  derived('job_attempts', ATTEMPT_SUMS),
];
const NAMES = namesOf([...ITERATION_SUMS, ...JOB_SUMS, ...ATTEMPT_SUMS]);
const STORED = storedSums(NAMES);
const EVENTS = storedSums(['duplicates', 'requeued']);

/** By the names of `run-sums.ts`. */
type RunSums = ReadonlyMap<string, unknown>;

/** @param kept whether `run_sums` is kept up with the rows; else they are added up now */
async function readSums(tx: SqlQueries, runId: number, kept: boolean): Promise<RunSums> {
  const values: unknown[] = [];
  for (const statement of kept ? [STORED] : DERIVED) values.push(...(await single(tx, statement, runId)));
  return new Map(NAMES.map((name, i) => [name, values[i]]));
}

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

function dicomAccounts(sums: RunSums): DicomAccounts {
  const of = (name: string): number => number(sums.get(`dicom_${name}`));
  const ifAny = (name: string): number | null => maybe(sums.get(`dicom_${name}`));
  return {
    attemptedInstances: of('attempted_instances'),
    successInstances: of('success_instances'),
    attemptedBytes: of('attempted_bytes'),
    successBytes: of('success_bytes'),
    sendCount: of('send_count'),
    sendSumUs: of('send_sum_us'),
    sendMinUs: ifAny('send_min_us'),
    sendMaxUs: ifAny('send_max_us'),
    throughputSumMbps: of('throughput_sum_mbps'),
    throughputMinMbps: ifAny('throughput_min_mbps'),
    throughputMaxMbps: ifAny('throughput_max_mbps'),
    throughputCount: of('throughput_count'),
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

const COUNTED = ITERATION_SUMS.slice(0, 3);
const STORED_COUNTS = storedSums(namesOf(COUNTED));
const DERIVED_COUNTS = derived('iterations', COUNTED);

export async function readCounts(queries: SqlQueries, runId: number, kept: boolean): Promise<RunCounts> {
  const row = await single(queries, kept ? STORED_COUNTS : DERIVED_COUNTS, runId);
  return { completed: number(row[0]), failed: number(row[1]), cancelled: number(row[2]) };
}

/** All figures of one moment. @throws {YeeterError} RUN_NOT_FOUND */
export async function readRunTotals(tx: SqlQueries, runId: number, kept: boolean): Promise<RunTotals> {
  await tx.query('set transaction isolation level repeatable read');
  const [run] = await tx.query('select 1 from runs where id = $1', [runId]);
  if (!run) throw new YeeterError('RUN_NOT_FOUND', `there is no run ${runId}`);
  const sums = await readSums(tx, runId, kept);
  const of = (name: string): number => number(sums.get(name));
  const lane = (n: number): string => String(sums.get(`digest${n}`));
  const [duplicates, requeued] = await single(tx, EVENTS, runId);
  const repeated = await single(tx, POSSIBLY_REPEATED, runId);
  const depths = await single(tx, DEPTHS, runId);
  const failures = await tx.query(FAILURES, [runId]);
  return {
    runId,
    completed: of('completed'),
    failed: of('failed'),
    cancelled: of('cancelled'),
    jobs: of('jobs'),
    jobsSucceeded: of('jobs_succeeded'),
    jobsDead: of('jobs_dead'),
    requeued: number(requeued),
    attempts: of('attempts'),
    attemptsSucceeded: of('attempts_succeeded'),
    attemptDurationSumUs: of('attempt_duration_sum_us'),
    attemptDurationMinUs: maybe(sums.get('attempt_duration_min_us')),
    attemptDurationMaxUs: maybe(sums.get('attempt_duration_max_us')),
    duplicates: number(duplicates),
    possiblyRepeated: number(repeated[0]),
    sutUs: of('sut_us'),
    ownUs: of('own_us'),
    dicom: dicomAccounts(sums),
    studiesStored: of('studies_stored'),
    queueMaxDepth: maybe(depths[0]),
    queueLastDepth: maybe(depths[1]),
    manifestSha256: manifestHash([lane(0), lane(1), lane(2), lane(3)]),
    failures: failures.map(([code, message, count, failedStep]) => ({
      code: String(code),
      message: String(message),
      count: number(count),
      failedStep: maybe(failedStep),
    })),
    series: await readSeries(tx, runId),
  };
}
