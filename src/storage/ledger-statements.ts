import { insertStatement } from './ledger-columns.ts';
import {
  ATTEMPT_COLUMNS,
  DEPTH_COLUMNS,
  type EncodedLedger,
  EVENT_COLUMNS,
  HEALTH_COLUMNS,
  ITERATION_COLUMNS,
  QUEUED_COLUMNS,
  WINDOW_COLUMNS,
} from './ledger-tables.ts';
import {
  ATTEMPT_SUMS,
  aggregates,
  emptySum,
  ITERATION_SUMS,
  JOB_SUMS,
  mergeSums,
  namesOf,
  SETTLING_SUMS,
  SUMMED_ITERATION_COLUMNS,
} from './run-sums.ts';

const SUM_NAMES = namesOf([...SETTLING_SUMS, ...ITERATION_SUMS]);

const SKIP = 'on conflict do nothing';
const SETTLING = "select run_id, job_id, outcome, attempt from added where outcome <> 'retried'";

/** The end of a run is sampled in the second of the sample before it. */
const DEPTHS =
  `${insertStatement('queue_depths', DEPTH_COLUMNS)} on conflict (run_id, second, queue) do update set ` +
  'ready = excluded.ready, unacknowledged = excluded.unacknowledged, consumers = excluded.consumers';

/** @param skipping as in `ledgerStatements` */
export function otherStatements(skipping: boolean): [keyof EncodedLedger, string][] {
  const conflict = skipping ? ` ${SKIP}` : '';
  return [
    ['events', insertStatement('run_events', EVENT_COLUMNS) + conflict],
    ['windows', insertStatement('metric_windows', WINDOW_COLUMNS) + conflict],
    ['health', insertStatement('process_health', HEALTH_COLUMNS) + conflict],
    ['depths', DEPTHS],
  ];
}

/**
 * In the order of their keys, like every writer's, so that writers of the same jobs wait for each other and never in
 * a circle.
 */
const QUEUED = [
  'insert into jobs (run_id, job_id, iteration, segment, queue, job_type, published_at_ms)',
  'select distinct on (run_id, job_id) run_id, job_id, iteration, segment, queue, job_type, published_at_ms',
  `from unnest(${QUEUED_COLUMNS.map(({ type }, i) => `$${i + 1}::${type}[]`).join(', ')})`,
  `as batch (${QUEUED_COLUMNS.map(({ name }) => name).join(', ')})`,
  'order by run_id, job_id',
  'on conflict (run_id, job_id) do update set iteration = excluded.iteration, segment = excluded.segment,',
  'queue = excluded.queue, job_type = excluded.job_type, published_at_ms = excluded.published_at_ms',
  'where jobs.iteration is null',
].join(' ');

/**
 * Jobs that may be there already, queued; a settlement that comes second changes nothing. `xmax` is 0 in a new row.
 * @param from attempts
 */
const settle = (from: string): string =>
  [
    'insert into jobs (run_id, job_id, outcome, attempt)',
    `select distinct on (run_id, job_id) run_id, job_id, outcome, attempt from ${from} where outcome <> 'retried'`,
    'order by run_id, job_id, attempt',
    'on conflict (run_id, job_id) do update set outcome = excluded.outcome, attempt = excluded.attempt',
    'where jobs.outcome is null',
    'returning run_id, job_id, outcome, attempt, jobs.xmax = 0 as is_new',
  ].join(' ');

/** (run, attempts added, of which came too late to settle their job) */
const ATTEMPTS_ADDED =
  "select run_id, count(*), count(*) filter (where outcome <> 'retried' and not exists " +
  '(select from settled where (settled.run_id, settled.job_id, settled.attempt) = ' +
  '(added.run_id, added.job_id, added.attempt))) from added group by run_id';

/** (run, iterations added) */
const ITERATIONS_ADDED = 'select run_id, count(*) from added group by run_id';

/**
 * How the rows of a batch go in, and what they add up to with them. The last parameter is the slot; all but the first
 * give (run, rows added).
 */
interface LedgerStatements {
  queued: string;
  attempts: string;
  iterations: string;
}

/** The attempts of the batch, those that are there already as well. */
const OFFERED = [
  `select run_id, job_id, outcome, attempt from unnest(${ATTEMPT_COLUMNS.map(({ type }, i) => `$${i + 1}::${type}[]`).join(', ')})`,
  `as batch (${ATTEMPT_COLUMNS.map(({ name }) => name).join(', ')})`,
].join(' ');

/**
 * An attempt that is there already may settle its job all the same: the one before was to be retried, died before the
 * retry was on the queue, and was made again.
 *
 * @param skip whether rows may be there already, which costs a look at each
 */
function attemptsStatement(skip: boolean): string {
  const insert = `${insertStatement('job_attempts', ATTEMPT_COLUMNS)} ${skip ? SKIP : ''}`;
  const added = `added as (${insert} returning run_id, job_id, outcome, attempt, duration_us)`;
  const settled = `settled as (${settle(skip ? `(${OFFERED}) offered` : 'added')})`;
  const [attempts, jobs] = [namesOf(ATTEMPT_SUMS), namesOf(JOB_SUMS)];
  const none = (name: string): string => (emptySum(name) === 0 ? `coalesce(${name}, 0)` : name);
  const perRun =
    `select run_id, $${ATTEMPT_COLUMNS.length + 1}::int4, ${[...attempts, ...jobs].map(none).join(', ')} ` +
    `from (select run_id, ${aggregates(ATTEMPT_SUMS)} from added group by run_id) tried full join ` +
    `(select run_id, count(*) filter (where is_new) as jobs, ${aggregates(JOB_SUMS.slice(1))} ` +
    'from settled group by run_id) ended using (run_id) order by run_id';
  const merged = mergeSums([...attempts, ...jobs], perRun);
  return `with ${added}, ${settled}, summed as (${merged}) ${ATTEMPTS_ADDED}`;
}

function iterationsStatement(skip: boolean): string {
  const insert = `${insertStatement('iterations', ITERATION_COLUMNS)} ${skip ? SKIP : ''}`;
  const added = `added as (${insert} returning ${SUMMED_ITERATION_COLUMNS})`;
  const slot = `$${ITERATION_COLUMNS.length + 1}::int4`;
  const perRun = `select run_id, ${slot}, ${aggregates(ITERATION_SUMS)} from added group by run_id order by run_id`;
  return `with ${added}, summed as (${mergeSums(namesOf(ITERATION_SUMS), perRun)}) ${ITERATIONS_ADDED}`;
}

const QUEUED_WITH_SUMS =
  `with added as (${QUEUED} returning run_id, jobs.xmax = 0 as is_new) ` +
  mergeSums(
    ['jobs'],
    `select run_id, $${QUEUED_COLUMNS.length + 1}::int4, count(*) filter (where is_new) from added ` +
      'group by run_id order by run_id',
  );

/**
 * Where no other process writes, jobs are not queued before they are settled: rows go in as they stand or fail, and what
 * they add up to was computed by whoever encoded them.
 */
export const ALONE = {
  attempts:
    `with added as (${insertStatement('job_attempts', ATTEMPT_COLUMNS)} ` +
    `returning run_id, job_id, outcome, attempt) insert into jobs (run_id, job_id, outcome, attempt) ${SETTLING}`,
  iterations: insertStatement('iterations', ITERATION_COLUMNS),
};

const STATEMENTS: LedgerStatements = {
  queued: QUEUED_WITH_SUMS,
  attempts: attemptsStatement(false),
  iterations: iterationsStatement(false),
};
const SKIPPING: LedgerStatements = {
  queued: QUEUED_WITH_SUMS,
  attempts: attemptsStatement(true),
  iterations: iterationsStatement(true),
};

/** @param skipping leaves rows that are there already as they are; without it, one such row fails its batch */
export function ledgerStatements(skipping: boolean): LedgerStatements {
  return skipping ? SKIPPING : STATEMENTS;
}

/** (run, slot, what attempts add up to, what terminal rows do) */
export const ADD_SUMS = mergeSums(
  SUM_NAMES,
  `values (${['run', 'slot', ...SUM_NAMES].map((_, i) => `$${i + 1}`).join(', ')})`,
);

/** (run, slot, duplicates) */
export const ADD_DUPLICATES = mergeSums(['duplicates'], 'select $1::int8, $2::int4, $3::int8');

/**
 * The first statement of a batch in a shared database: (line, number). It waits for an earlier try of the same batch
 * that the server has not given up yet, and returns nothing when that try was committed.
 */
export const MARK =
  'insert into ledger_writers (id, batch, written_at_ms) ' +
  'values ($1, $2, (extract(epoch from clock_timestamp()) * 1000)::int8) on conflict (id) do update set ' +
  'batch = excluded.batch, written_at_ms = excluded.written_at_ms where ledger_writers.batch < excluded.batch ' +
  'returning batch';
