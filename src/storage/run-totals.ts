import type { DicomAccounts } from '../domain/job.ts';
import { manifestHash } from '../domain/manifest.ts';
import { createSeriesMerger, type SeriesMerger } from '../metrics/merge-series.ts';
import type { SeriesName, WindowRow } from '../metrics/series.ts';
import type { RunAccounts, RunTotals, SeriesTotals } from '../metrics/totals.ts';
import type { RunCounts, RunProgress } from './coordination-port.ts';
import { missingRun } from './missing-run.ts';
import {
  COUNTED_ALONE,
  emptySum,
  ITERATION_SUMS,
  namesOf,
  OUTCOME_SUMS,
  SETTLING_SUMS,
  storedSums,
} from './run-sums.ts';
import type { SqlQueries } from './sql-executor.ts';

const MAX_FAILURES = 20;
/** Windows of so many rows are merged at a time; each holds two histograms of about a kilobyte. */
const WINDOW_PAGE = 2_000;

/** Each statement asks for several runs, $1, and tells them apart by its first column. */
const OF_RUNS = 'where run_id = any($1::int8[])';

const SUM_NAMES = [...namesOf([...ITERATION_SUMS, ...SETTLING_SUMS]), ...COUNTED_ALONE];
const SUMS = storedSums(SUM_NAMES);

const COUNT_NAMES = namesOf(OUTCOME_SUMS);
const COUNTS = storedSums(COUNT_NAMES);

/** By the names of `run-sums.ts`; those of int8 are numeric, so that they do not overflow. */
type RunSums = ReadonlyMap<string, unknown>;

type Rows = readonly (readonly unknown[])[];

/** Rows by their run, which is their first column. */
function perRun(rows: Rows): Map<number, Rows> {
  return Map.groupBy(rows, ([runId]) => Number(runId));
}

async function readSums(
  queries: SqlQueries,
  ids: string,
  statement: string,
  names: readonly string[],
): Promise<(runId: number) => RunSums> {
  const rows = perRun(await queries.query(statement, [ids]));
  return (runId) => {
    const row = rows.get(runId)?.[0];
    return new Map(names.map((name, i) => [name, row ? row[i + 1] : emptySum(name)] as const));
  };
}

const POSSIBLY_REPEATED = `
select run_id, count(*) from (
  select run_id, iteration from iterations ${OF_RUNS} and possibly_repeated
  union
  select run_id, patient_iteration from job_attempts ${OF_RUNS} and possibly_repeated
) repeated group by run_id`;

const DEPTHS = `
select run_id, max(depth), (array_agg(depth order by second desc))[1]
from (
  select run_id, second, sum(ready + unacknowledged)::bigint depth from queue_depths ${OF_RUNS} group by run_id, second
) samples group by run_id`;

const HANDED_OFF = `select run_id, sum(bit_count(iterations)) from handed_off ${OF_RUNS} group by run_id`;

const LAST_DEPTH = `
select r.id, (
  select sum(ready + unacknowledged) from queue_depths d
  where d.run_id = r.id and second = (select max(second) from queue_depths l where l.run_id = r.id)
) from runs r where r.id = $1`;

/** Messages that differ in identifiers alone (control ids, UIDs, addresses) are one kind; one of them is shown. */
const FAILURES = `
select run_id, code, message, failures, failed_step from (
  select *, row_number() over (partition by run_id order by failures desc, code, message) place from (
    select run_id, coalesce(error_code, 'INTERNAL') code, coalesce(min(error), '') message, count(*) failures, failed_step
    from iterations ${OF_RUNS} and outcome = 'failed'
    group by run_id, error_code, failed_step,
      regexp_replace(error, '[[:alnum:].:_-]*[0-9][[:alnum:].:_-]{7,}', '', 'g')
  ) kinds
) placed where place <= ${MAX_FAILURES} order by run_id, place`;

const WINDOWS = `
declare windows no scroll cursor for
select run_id, series, process_id, second, ok_count, ok_sum_us, ok_min_us, ok_max_us,
  failed_count, failed_sum_us, failed_min_us, failed_max_us, bytes, ok_histogram, failed_histogram,
  ok_last_us
from metric_windows ${OF_RUNS} order by run_id, second, series, process_id`;
const NEXT_WINDOWS = `fetch ${WINDOW_PAGE} from windows`;

const STARTED = 'select started_iterations from runs where id = $1';
const CARRIED = `
select series, sum(ok_count), sum(bytes) from metric_windows
where run_id = $1 and series in ('order_ack', 'dicom_store') group by series`;

const number = (value: unknown): number => Number(value);
const maybe = (value: unknown): number | null => (value === null ? null : Number(value));

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

function windowOf(row: readonly unknown[]): WindowRow {
  return {
    runId: number(row[0]),
    series: String(row[1]),
    processId: String(row[2]),
    second: number(row[3]),
    okCount: number(row[4]),
    okSumUs: number(row[5]),
    okMinUs: maybe(row[6]),
    okMaxUs: maybe(row[7]),
    okLastUs: maybe(row[15]),
    failedCount: number(row[8]),
    failedSumUs: number(row[9]),
    failedMinUs: maybe(row[10]),
    failedMaxUs: maybe(row[11]),
    bytes: number(row[12]),
    okHistogram: row[13] as string | null,
    failedHistogram: row[14] as string | null,
  };
}

/** By run; one run after the other, so that the windows of one alone are held. */
async function readSeries(tx: SqlQueries, ids: string): Promise<Map<number, SeriesTotals[]>> {
  const series = new Map<number, SeriesTotals[]>();
  let current = null as { runId: number; merger: SeriesMerger } | null;
  await tx.query(WINDOWS, [ids]);
  for (;;) {
    const rows = await tx.query(NEXT_WINDOWS);
    for (const row of rows) {
      const window = windowOf(row);
      if (current?.runId !== window.runId) {
        if (current) series.set(current.runId, current.merger.totals());
        current = { runId: window.runId, merger: createSeriesMerger() };
      }
      current.merger.add(window);
    }
    if (rows.length < WINDOW_PAGE) break;
  }
  if (current) series.set(current.runId, current.merger.totals());
  await tx.query('close windows');
  return series;
}

export async function readCounts(queries: SqlQueries, runId: number): Promise<RunCounts> {
  const sumsOf = await readSums(queries, `{${runId}}`, COUNTS, COUNT_NAMES);
  const sums = sumsOf(runId);
  const of = (name: string): number => number(sums.get(name));
  return { completed: of('completed'), failed: of('failed'), cancelled: of('cancelled') };
}

/** @throws {YeeterError} RUN_NOT_FOUND */
export async function readProgress(queries: SqlQueries, runId: number): Promise<RunProgress> {
  const [run] = await queries.query(STARTED, [runId]);
  if (!run) return missingRun(runId);
  const counts = await readCounts(queries, runId);
  const carried = await queries.query(CARRIED, [runId]);
  const of = (series: SeriesName): readonly unknown[] => carried.find(([name]) => name === series) ?? [];
  const [, orders = 0] = of('order_ack');
  const [, instances = 0, bytes = 0] = of('dicom_store');
  return {
    ...counts,
    started: Math.max(number(run[0]), counts.completed + counts.failed + counts.cancelled),
    orders: number(orders),
    instances: number(instances),
    bytes: number(bytes),
  };
}

/** @throws {YeeterError} RUN_NOT_FOUND */
export async function readAccounts(queries: SqlQueries, runId: number): Promise<RunAccounts> {
  const sumsOf = await readSums(queries, `{${runId}}`, SUMS, SUM_NAMES);
  const [run] = await queries.query(LAST_DEPTH, [runId]);
  if (!run) return missingRun(runId);
  const [handedOff] = await queries.query(HANDED_OFF, [`{${runId}}`]);
  return { runId, ...accountsOf(sumsOf(runId), handedOff), queueLastDepth: maybe(run[1]) };
}

/** All figures of one moment. Runs that are not there are left out. */
export async function readTotals(tx: SqlQueries, runIds: readonly number[]): Promise<RunTotals[]> {
  await tx.query('set transaction isolation level repeatable read');
  // Without statistics of its tables, which PGlite never has, every row would be read instead of those of a few runs.
  await tx.query('set local enable_seqscan = off');
  const ids = `{${runIds.join(',')}}`;
  const of = async (statement: string): Promise<Map<number, Rows>> =>
    perRun(await tx.query(statement, [ids]));
  const there = await tx.query('select id from runs where id = any($1::int8[])', [ids]);
  const sumsOf = await readSums(tx, ids, SUMS, SUM_NAMES);
  const handedOff = await of(HANDED_OFF);
  const repeated = await of(POSSIBLY_REPEATED);
  const depths = await of(DEPTHS);
  const failures = await of(FAILURES);
  const series = await readSeries(tx, ids);
  const totals: RunTotals[] = [];
  for (const [id] of there) {
    const runId = Number(id);
    totals.push({
      runId,
      ...accountsOf(sumsOf(runId), handedOff.get(runId)?.[0]),
      possiblyRepeated: number(repeated.get(runId)?.[0]?.[1] ?? 0),
      queueMaxDepth: maybe(depths.get(runId)?.[0]?.[1] ?? null),
      queueLastDepth: maybe(depths.get(runId)?.[0]?.[2] ?? null),
      failures: (failures.get(runId) ?? []).map(([, code, message, count, failedStep]) => ({
        code: String(code),
        message: String(message),
        count: number(count),
        failedStep: maybe(failedStep),
      })),
      series: series.get(runId) ?? [],
    });
  }
  return totals;
}

/** @throws {YeeterError} RUN_NOT_FOUND */
export async function readRunTotals(tx: SqlQueries, runId: number): Promise<RunTotals> {
  const [totals] = await readTotals(tx, [runId]);
  return totals ?? missingRun(runId);
}

/** @param handedOff the run, and how many of its iterations were handed to a queue; none where that is not noted */
function accountsOf(sums: RunSums, [, handedOff = 0]: readonly unknown[] = []) {
  const of = (name: string): number => number(sums.get(name));
  const lane = (n: number): string => String(sums.get(`digest${n}`));
  return {
    completed: of('completed'),
    failed: of('failed'),
    cancelled: of('cancelled'),
    // The first of an iteration, or put on its queue by the one before it; and all that are settled, should a runner have
    // died before it noted what it had handed off.
    jobs: Math.max(of('jobs'), number(handedOff) + of('jobs_handed_on')),
    jobsSucceeded: of('jobs_succeeded'),
    jobsDead: of('jobs_dead'),
    requeued: of('requeued'),
    attempts: of('attempts'),
    attemptsSucceeded: of('attempts_succeeded'),
    attemptDurationSumUs: of('attempt_duration_sum_us'),
    attemptDurationMinUs: maybe(sums.get('attempt_duration_min_us')),
    attemptDurationMaxUs: maybe(sums.get('attempt_duration_max_us')),
    duplicates: of('duplicates'),
    sutUs: of('sut_us'),
    ownUs: of('own_us'),
    dicom: dicomAccounts(sums),
    studiesStored: of('studies_stored'),
    manifestSha256: manifestHash([lane(0), lane(1), lane(2), lane(3)]),
  };
}
