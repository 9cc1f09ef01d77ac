import { insertStatement, unnest } from './ledger-columns.ts';
import {
  ATTEMPT_COLUMNS,
  DEPTH_COLUMNS,
  type EncodedLedger,
  EVENT_COLUMNS,
  HANDED_OFF_COLUMNS,
  HEALTH_COLUMNS,
  ITERATION_COLUMNS,
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

/** A sum as it is, also of a run that has none of its rows. */
const orNone = (name: string): string => (emptySum(name) === 0 ? `coalesce(${name}, 0) as ${name}` : name);

/** The end of a run is sampled in the second of the sample before it. */
const DEPTHS =
  `${insertStatement('queue_depths', DEPTH_COLUMNS)} on conflict (run_id, second, queue) do update set ` +
  'ready = excluded.ready, unacknowledged = excluded.unacknowledged, consumers = excluded.consumers';

/** @param skipping as in `settledStatement` */
export function otherStatements(skipping: boolean): [keyof EncodedLedger, string][] {
  const conflict = skipping ? ` ${SKIP}` : '';
  return [
    ['events', insertStatement('run_events', EVENT_COLUMNS) + conflict],
    ['windows', insertStatement('metric_windows', WINDOW_COLUMNS) + conflict],
    ['health', insertStatement('process_health', HEALTH_COLUMNS) + conflict],
    ['depths', DEPTHS],
  ];
}

/** In the order of their keys, so that writers of the same pages wait for each other and never in a circle. */
export const HANDED_OFF =
  `${insertStatement('handed_off', HANDED_OFF_COLUMNS)} order by run_id, page ` +
  'on conflict (run_id, page) do update set iterations = handed_off.iterations | excluded.iterations';

/**
 * Marks a batch of a shared database as written: (line, number). It waits for an earlier try of the same batch that the
 * server has not given up yet, and returns nothing when that try was committed.
 */
const mark = (line: string, number: string): string =>
  `insert into ledger_writers (id, batch, written_at_ms) values (${line}, ${number}, ` +
  '(extract(epoch from clock_timestamp()) * 1000)::int8) on conflict (id) do update set ' +
  'batch = excluded.batch, written_at_ms = excluded.written_at_ms where ledger_writers.batch < excluded.batch ' +
  'returning batch';

const SETTLEMENT = 'run_id, job_id, outcome, attempt';
const SETTLE = `insert into jobs (${SETTLEMENT}) select ${SETTLEMENT} from`;

/** What comes of attempts that are new, as their jobs are: a common table each. */
const NEW_JOBS = [
  `settled as (${SETTLE} added where outcome <> 'retried')`,
  `tried as (select run_id, ${aggregates(SETTLING_SUMS)}, 0 as late from added group by run_id)`,
];

/**
 * The same of attempts that may be there already, as their jobs may: a settlement that comes second changes nothing, and
 * a job that was reopened is settled anew. Jobs are settled in the order of their keys, so that writers of the same jobs
 * wait for each other and never in a circle. An attempt that is there already may settle its job all the same: the one
 * before was to be retried, died before the retry was on the queue, and was made again. `xmax` is 0 in a new row.
 */
const KNOWN_JOBS = [
  `offered as (select distinct on (run_id, job_id) ${SETTLEMENT}, remaining_steps ` +
    `from ${unnest(ATTEMPT_COLUMNS)} where outcome <> 'retried' and exists (select from mark) ` +
    'order by run_id, job_id, attempt)',
  `settled as (${SETTLE} offered on conflict (run_id, job_id) do update set outcome = excluded.outcome, ` +
    'attempt = excluded.attempt where jobs.outcome is null returning run_id, job_id, jobs.xmax = 0 as is_new)',
  `decided as (select run_id, count(*) filter (where is_new) as jobs, ${aggregates(JOB_SUMS.slice(1))}, ` +
    'count(*) filter (where exists (select from added where (added.run_id, added.job_id, added.attempt) = ' +
    '(offered.run_id, offered.job_id, offered.attempt))) as by_added ' +
    'from settled join offered using (run_id, job_id) group by run_id)',
  `counted as (select run_id, ${aggregates(ATTEMPT_SUMS)}, ` +
    "count(*) filter (where outcome <> 'retried') as deciding from added group by run_id)",
  `tried as (select run_id, ${namesOf(SETTLING_SUMS).map(orNone).join(', ')}, ` +
    'coalesce(deciding, 0) - coalesce(by_added, 0) as late from counted full join decided using (run_id))',
];

/**
 * A whole batch in one statement, for a database that others write to: its mark, then attempts and the jobs that they
 * settle, then terminal rows, and last what all of these add up to, which other writers of a run may wait for. The
 * parameters are the columns of the attempts, those of the terminal rows, the slot, the line and the number of the batch
 * in it. Gives (kind, run, rows added, of which came too late to settle their job), and one row of kind `mark` unless an
 * earlier try has written the batch: then nothing is done.
 *
 * @param skipping leaves rows that are there already as they are, which costs a look at each; without it, one such row
 * fails its batch
 */
function settledStatement(skipping: boolean): string {
  const firstIteration = ATTEMPT_COLUMNS.length + 1;
  const slot = firstIteration + ITERATION_COLUMNS.length;
  const how = `where exists (select from mark) ${skipping ? SKIP : ''}`;
  const attempts = `${insertStatement('job_attempts', ATTEMPT_COLUMNS)} ${how}`;
  const iterations = `${insertStatement('iterations', ITERATION_COLUMNS, firstIteration)} ${how}`;
  const perRun =
    `select run_id, $${slot}::int4, ${SUM_NAMES.map(orNone).join(', ')}, coalesce(late, 0) ` +
    'from tried full join finished using (run_id) order by run_id';
  const parts = [
    `mark as (${mark(`$${slot + 1}`, `$${slot + 2}`)})`,
    `added as (${attempts} returning ${SETTLEMENT}, duration_us, remaining_steps)`,
    ...(skipping ? KNOWN_JOBS : NEW_JOBS),
    `ended as (${iterations} returning ${SUMMED_ITERATION_COLUMNS})`,
    `finished as (select run_id, count(*) as patients, ${aggregates(ITERATION_SUMS)} from ended group by run_id)`,
    `summed as (${mergeSums([...SUM_NAMES, 'duplicates'], perRun)})`,
  ];
  return (
    `with ${parts.join(', ')} select 'mark', 0::int8, 0::int8, 0::int8 from mark ` +
    "union all select 'attempts', run_id, attempts, late from tried " +
    "union all select 'iterations', run_id, patients, 0 from finished"
  );
}

/**
 * Where no other process writes, rows go in as they stand or fail, and what they add up to was computed by whoever
 * encoded them.
 */
export const ALONE = {
  attempts:
    `with added as (${insertStatement('job_attempts', ATTEMPT_COLUMNS)} returning ${SETTLEMENT}) ` +
    `${SETTLE} added where outcome <> 'retried'`,
  iterations: insertStatement('iterations', ITERATION_COLUMNS),
};

export const SETTLED = { plain: settledStatement(false), skipping: settledStatement(true) };

/** (run, slot, what attempts add up to, what terminal rows do) */
export const ADD_SUMS = mergeSums(
  SUM_NAMES,
  `values (${['run', 'slot', ...SUM_NAMES].map((_, i) => `$${i + 1}`).join(', ')})`,
);

/** (run, slot, duplicates) */
export const ADD_DUPLICATES = mergeSums(['duplicates'], 'select $1::int8, $2::int4, $3::int8');
