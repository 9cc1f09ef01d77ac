import { type EncodedRows, insertStatement } from './ledger-columns.ts';
import {
  ATTEMPT_COLUMNS,
  DEPTH_COLUMNS,
  type EncodedLedger,
  EVENT_COLUMNS,
  HEALTH_COLUMNS,
  ITERATION_COLUMNS,
  WINDOW_COLUMNS,
} from './ledger-tables.ts';
import type { LedgerReceipt } from './port.ts';
import type { SqlExecutor, SqlQueries } from './sql-executor.ts';
import { isConflict } from './storage-error.ts';

const INSERT_ATTEMPTS = insertStatement('job_attempts', ATTEMPT_COLUMNS);
const INSERT_ITERATIONS = insertStatement('iterations', ITERATION_COLUMNS);
const SKIP = 'on conflict do nothing';
const SETTLE =
  "insert into jobs (run_id, job_id, outcome, attempt) select run_id, job_id, outcome, attempt from added where outcome <> 'retried'";

const NEW_ATTEMPTS = `with added as (${INSERT_ATTEMPTS} returning run_id, job_id, outcome, attempt) ${SETTLE}`;

const NEW_ROWS: readonly [keyof EncodedLedger, string][] = [
  ['attempts', NEW_ATTEMPTS],
  ['iterations', INSERT_ITERATIONS],
  ['events', insertStatement('run_events', EVENT_COLUMNS)],
  ['windows', insertStatement('metric_windows', WINDOW_COLUMNS)],
  ['health', insertStatement('process_health', HEALTH_COLUMNS)],
  ['depths', insertStatement('queue_depths', DEPTH_COLUMNS)],
];

/** (run, attempts added, of which settle their job, jobs settled) */
const MISSING_ATTEMPTS =
  `with added as (${INSERT_ATTEMPTS} ${SKIP} returning run_id, job_id, outcome, attempt), ` +
  `settled as (${SETTLE} ${SKIP} returning run_id) ` +
  "select run_id, count(*), count(*) filter (where outcome <> 'retried'), " +
  '(select count(*) from settled where settled.run_id = added.run_id) from added group by run_id';

/** (run, iterations added) */
const MISSING_ITERATIONS =
  `with added as (${INSERT_ITERATIONS} ${SKIP} returning run_id) ` +
  'select run_id, count(*) from added group by run_id';

const NO_DUPLICATES: LedgerReceipt = { duplicateAttempts: 0, duplicateIterations: 0 };
const MAX_TRIES = 5;
/** Class of the advisory locks on runs; an arbitrary constant. */
const LEDGER_LOCK = 1_984_112;

/** The common case: every row is new, so that nothing has to be looked up and a clash undoes the whole batch. */
async function insertNew(executor: SqlExecutor, batch: EncodedLedger): Promise<void> {
  const work = NEW_ROWS.filter(([kind]) => batch[kind] !== null);
  const insertAll = async (queries: SqlQueries): Promise<void> => {
    for (const [kind, statement] of work) await queries.query(statement, batch[kind]!.columns);
  };
  if (work.length === 1) await insertAll(executor);
  else if (work.length > 1) await executor.transaction(insertAll);
}

/** Duplicates of each run: what was sent less what was added. */
function shortfall(rows: EncodedRows | null, added: readonly unknown[][]): Map<number, number> {
  const missing = new Map(rows?.perRun);
  for (const [runId, count] of added) missing.set(Number(runId), missing.get(Number(runId))! - Number(count));
  return missing;
}

const total = (counts: Map<number, number>): number => [...counts.values()].reduce((sum, n) => sum + n, 0);

/** Writers of the same run come one after the other here, or equal rows in another order would deadlock them. */
async function lockRuns(tx: SqlQueries, batch: EncodedLedger): Promise<void> {
  const runIds = new Set(Object.values(batch).flatMap((rows) => rows?.perRun.map(([runId]) => runId) ?? []));
  for (const runId of [...runIds].sort((a, b) => a - b))
    await tx.query('select pg_advisory_xact_lock($1, ($2::int8 % 2147483647)::int4)', [LEDGER_LOCK, runId]);
}

/** What is there already stays as it is and is counted with its run, in the same transaction. */
async function insertMissing(tx: SqlQueries, batch: EncodedLedger): Promise<LedgerReceipt> {
  await lockRuns(tx, batch);
  const attempts = batch.attempts ? await tx.query(MISSING_ATTEMPTS, batch.attempts.columns) : [];
  const iterations = batch.iterations ? await tx.query(MISSING_ITERATIONS, batch.iterations.columns) : [];
  for (const [kind, statement] of NEW_ROWS.slice(2))
    if (batch[kind]) await tx.query(`${statement} ${SKIP}`, batch[kind].columns);

  const attemptsMissed = shortfall(batch.attempts, attempts);
  for (const [runId, , settling, settled] of attempts) {
    const late = Number(settling) - Number(settled);
    attemptsMissed.set(Number(runId), attemptsMissed.get(Number(runId))! + late);
  }
  const iterationsMissed = shortfall(batch.iterations, iterations);
  for (const counts of [attemptsMissed, iterationsMissed])
    for (const [runId, count] of counts)
      if (count > 0)
        await tx.query('update runs set duplicate_count = duplicate_count + $2 where id = $1', [
          runId,
          count,
        ]);
  return { duplicateAttempts: total(attemptsMissed), duplicateIterations: total(iterationsMissed) };
}

/**
 * One transaction a batch. The first try takes every row for new; when one is there already, the batch is written
 * again with a look at each row, so that the first of two equal rows wins and the second is only counted.
 */
export async function writeLedger(executor: SqlExecutor, batch: EncodedLedger): Promise<LedgerReceipt> {
  try {
    await insertNew(executor, batch);
    return NO_DUPLICATES;
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  for (let tries = 1; ; tries++) {
    try {
      return await executor.transaction((tx) => insertMissing(tx, batch));
    } catch (error) {
      if (!isConflict(error) || tries === MAX_TRIES) throw error;
    }
  }
}
