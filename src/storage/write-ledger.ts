import { YeeterError } from '../lib/errors.ts';
import type { EncodedRows } from './ledger-columns.ts';
import {
  ADD_DUPLICATES,
  ADD_SUMS,
  ALONE,
  ledgerStatements,
  MARK,
  otherStatements,
} from './ledger-statements.ts';
import type { EncodedLedger } from './ledger-tables.ts';
import type { LedgerReceipt } from './port.ts';
import { emptySum, ITERATION_SUMS, SETTLING_SUMS } from './run-sums.ts';
import type { SqlExecutor, SqlParameter, SqlQueries } from './sql-executor.ts';
import { isConflict } from './storage-error.ts';

/** One writer of batches at a time: how its batches are told apart, and where its sums go. */
export interface LedgerLine {
  /** Of `ledger_writers`. */
  id: string;
  /** Of `run_sums`. */
  slot: number;
  /** Batches so far. */
  batches: number;
}

const OTHER = { plain: otherStatements(false), skipping: otherStatements(true) };
const NO_DUPLICATES: LedgerReceipt = { duplicateAttempts: 0, duplicateIterations: 0 };
const NO_ATTEMPTS = SETTLING_SUMS.map(({ name }) => emptySum(name));
const NO_ITERATIONS = ITERATION_SUMS.map(({ name }) => emptySum(name));
const MAX_TRIES = 5;
/** Undoes a batch that an earlier try of it has written. */
const WRITTEN_BEFORE = new YeeterError('INTERNAL', 'an earlier try has written this batch');
/** Class of the advisory locks on runs; an arbitrary constant. */
const LEDGER_LOCK = 1_984_112;

const parameters = (rows: EncodedRows, line: LedgerLine): SqlParameter[] => [...rows.columns, line.slot];

const named = (kind: string, skip: boolean): string => `ledger ${kind}${skip ? ' skipping' : ''}`;

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

/** One batch on its way. */
interface LedgerWrite {
  executor: SqlExecutor;
  batch: EncodedLedger;
  line: LedgerLine;
  /** Of this batch, in its line. */
  number: number;
}

/**
 * Queued jobs have a transaction of their own: a batch that settled some jobs and queued others could wait for another
 * that does so the other way round.
 */
async function insertQueued({ executor, batch, line }: LedgerWrite): Promise<void> {
  if (!batch.queued) return;
  await executor.query(ledgerStatements(true).queued, parameters(batch.queued, line), 'ledger queued');
}

/** False when an earlier try of this batch, whose answer was lost, has done it. */
async function isMine(tx: SqlQueries, { executor, line, number }: LedgerWrite): Promise<boolean> {
  return !executor.shared || (await tx.query(MARK, [line.id, number], 'ledger mark')).length > 0;
}

function insertOthers(tx: SqlQueries, { batch }: LedgerWrite, skip: boolean): Promise<unknown[][]>[] {
  return OTHER[skip ? 'skipping' : 'plain'].flatMap(([kind, statement]) =>
    batch[kind] ? [tx.query(statement, batch[kind].columns, named(kind, skip))] : [],
  );
}

/** Attempts first and terminal rows next: what they add up to is the last thing that writers of a run wait for. */
async function insertRows(tx: SqlQueries, write: LedgerWrite, skip: boolean): Promise<LedgerReceipt> {
  const { batch, line } = write;
  const statements = ledgerStatements(skip);
  const insert = async (kind: 'attempts' | 'iterations'): Promise<unknown[][]> =>
    batch[kind] ? await tx.query(statements[kind], parameters(batch[kind], line), named(kind, skip)) : [];
  const others = insertOthers(tx, write, skip);
  const [attempts, iterations] = await Promise.all([insert('attempts'), insert('iterations'), ...others]);
  return await countDuplicates(tx, write, attempts, iterations);
}

/** Rows that are all new, where no other process writes. */
async function insertAlone(tx: SqlQueries, write: LedgerWrite): Promise<LedgerReceipt> {
  const { attempts, iterations } = write.batch;
  await Promise.all(insertOthers(tx, write, false));
  if (attempts) await tx.query(ALONE.attempts, attempts.columns);
  if (iterations) await tx.query(ALONE.iterations, iterations.columns);
  for (const runId of new Set([...(attempts?.sums.keys() ?? []), ...(iterations?.sums.keys() ?? [])])) {
    const sums = [
      ...(attempts?.sums.get(runId) ?? NO_ATTEMPTS),
      ...(iterations?.sums.get(runId) ?? NO_ITERATIONS),
    ];
    await tx.query(ADD_SUMS, [runId, write.line.slot, ...sums]);
  }
  return NO_DUPLICATES;
}

async function countDuplicates(
  tx: SqlQueries,
  { batch, line }: LedgerWrite,
  attempts: readonly unknown[][],
  iterations: readonly unknown[][],
): Promise<LedgerReceipt> {
  const attemptsMissed = shortfall(batch.attempts, attempts);
  for (const [runId, , late] of attempts)
    attemptsMissed.set(Number(runId), attemptsMissed.get(Number(runId))! + Number(late));
  const iterationsMissed = shortfall(batch.iterations, iterations);
  for (const counts of [attemptsMissed, iterationsMissed])
    for (const [runId, count] of counts)
      if (count > 0) await tx.query(ADD_DUPLICATES, [runId, line.slot, count]);
  return { duplicateAttempts: total(attemptsMissed), duplicateIterations: total(iterationsMissed) };
}

/** The common case: every row is new, so that nothing has to be looked up and a clash undoes the whole batch. */
async function insertNew(write: LedgerWrite): Promise<LedgerReceipt> {
  const { executor, batch } = write;
  const kinds = Object.entries(batch).filter(([kind, rows]) => kind !== 'queued' && rows !== null).length;
  if (kinds === 0) return NO_DUPLICATES;
  if (!executor.shared) return await executor.transaction((tx) => insertAlone(tx, write));
  try {
    return await executor.transaction(async (tx) => {
      // The rows do not wait for the answer.
      const [mine, receipt] = await Promise.all([isMine(tx, write), insertRows(tx, write, false)]);
      if (!mine) throw WRITTEN_BEFORE;
      return receipt;
    });
  } catch (error) {
    if (error === WRITTEN_BEFORE) return NO_DUPLICATES;
    throw error;
  }
}

/** What is there already stays as it is and is counted with its run, in the same transaction. */
async function insertMissing(write: LedgerWrite): Promise<LedgerReceipt> {
  for (let tries = 1; ; tries++) {
    try {
      return await write.executor.transaction(async (tx) => {
        if (!(await isMine(tx, write))) return NO_DUPLICATES;
        await lockRuns(tx, write.batch);
        return await insertRows(tx, write, true);
      });
    } catch (error) {
      if (!isConflict(error) || tries === MAX_TRIES) throw error;
    }
  }
}

/**
 * One transaction a batch. The first try takes every row for new; when one is there already, the batch is written
 * again with a look at each row, so that the first of two equal rows wins and the second is only counted. A batch
 * whose connection breaks is written again, and is there once; its receipt may then miss duplicates that the run
 * counts.
 */
export async function writeLedger(
  executor: SqlExecutor,
  batch: EncodedLedger,
  line: LedgerLine,
): Promise<LedgerReceipt> {
  line.batches++;
  const write: LedgerWrite = { executor, batch, line, number: line.batches };
  await executor.repeatable(() => insertQueued(write));
  return await executor.repeatable(async () => {
    try {
      return await insertNew(write);
    } catch (error) {
      if (!isConflict(error)) throw error;
      return await insertMissing(write);
    }
  });
}
