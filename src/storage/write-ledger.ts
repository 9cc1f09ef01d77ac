import { YeeterError } from '../lib/errors.ts';
import { type EncodedRows, noRows } from './ledger-columns.ts';
import {
  ADD_DUPLICATES,
  ADD_SUMS,
  ALONE,
  HANDED_OFF,
  otherStatements,
  SETTLED,
} from './ledger-statements.ts';
import { ATTEMPT_COLUMNS, type EncodedLedger, ITERATION_COLUMNS } from './ledger-tables.ts';
import type { LedgerReceipt } from './port.ts';
import { emptySum, ITERATION_SUMS, SETTLING_SUMS } from './run-sums.ts';
import type { SqlExecutor, SqlQueries } from './sql-executor.ts';
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

const named = (kind: string, skip: boolean): string => `ledger ${kind}${skip ? ' skipping' : ''}`;

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

/** Writing them again changes nothing, so that they need no mark and no transaction with the rest. */
async function noteHandOffs({ executor, batch }: LedgerWrite): Promise<void> {
  if (batch.handedOff) await executor.query(HANDED_OFF, batch.handedOff.columns, 'ledger handed off');
}

function insertOthers(tx: SqlQueries, { batch }: LedgerWrite, skip: boolean): Promise<unknown[][]>[] {
  return OTHER[skip ? 'skipping' : 'plain'].flatMap(([kind, statement]) =>
    batch[kind] ? [tx.query(statement, batch[kind].columns, named(kind, skip))] : [],
  );
}

/** By run, of the rows of one kind: those that were there already, and those that came after another had settled their job. */
type Duplicates = Map<number, { missing: number; late: number }>;

const noneAdded = (rows: EncodedRows | null): Duplicates =>
  new Map(rows?.perRun.map(([runId, count]) => [runId, { missing: count, late: 0 }]));

const total = (duplicates: Duplicates): number =>
  [...duplicates.values()].reduce((sum, { missing, late }) => sum + missing + late, 0);

/** What came of the rows that settle jobs and end patients. */
type Settled = Record<'attempts' | 'iterations', Duplicates>;

/** @returns null when an earlier try of the batch, whose answer was lost, has written it */
async function insertSettled(tx: SqlQueries, write: LedgerWrite, skip: boolean): Promise<Settled | null> {
  const { batch, line, number } = write;
  const parameters = [
    ...(batch.attempts?.columns ?? noRows(ATTEMPT_COLUMNS)),
    ...(batch.iterations?.columns ?? noRows(ITERATION_COLUMNS)),
    ...[line.slot, line.id, number],
  ];
  const statement = SETTLED[skip ? 'skipping' : 'plain'];
  const settled: Settled = { attempts: noneAdded(batch.attempts), iterations: noneAdded(batch.iterations) };
  let marked = false;
  for (const [kind, runId, added, late] of await tx.query(statement, parameters, named('settled', skip))) {
    if (kind === 'mark') {
      marked = true;
      continue;
    }
    const ofRun = settled[kind as keyof Settled].get(Number(runId))!;
    ofRun.missing -= Number(added);
    ofRun.late = Number(late);
  }
  return marked ? settled : null;
}

/** @param settled null when an earlier try has counted them */
function receiptOf(settled: Settled | null): LedgerReceipt {
  if (!settled) return NO_DUPLICATES;
  return {
    duplicateAttempts: total(settled.attempts),
    duplicateIterations: total(settled.iterations),
  };
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

/** The common case: every row is new, so that nothing has to be looked up and a clash undoes the whole batch. */
async function insertNew(write: LedgerWrite): Promise<LedgerReceipt> {
  const { executor, batch } = write;
  const hasOthers = OTHER.plain.some(([kind]) => batch[kind] !== null);
  if (!hasOthers && !batch.attempts && !batch.iterations) return NO_DUPLICATES;
  if (!executor.shared) return await executor.transaction((tx) => insertAlone(tx, write));
  if (!hasOthers) return receiptOf(await insertSettled(executor, write, false));
  try {
    return await executor.transaction(async (tx) => {
      // All at once, and answered in their order: what follows a fault only says that there was one.
      const settling = insertSettled(tx, write, false);
      const others = Promise.all(insertOthers(tx, write, false));
      others.catch(() => {});
      const settled = await settling;
      if (!settled) throw WRITTEN_BEFORE;
      await others;
      return receiptOf(settled);
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
      return await write.executor.transaction((tx) => insertSkipping(tx, write));
    } catch (error) {
      if (!isConflict(error) || tries === MAX_TRIES) throw error;
    }
  }
}

async function insertSkipping(tx: SqlQueries, write: LedgerWrite): Promise<LedgerReceipt> {
  const { batch, line } = write;
  await lockRuns(tx, batch);
  const settled = await insertSettled(tx, write, true);
  if (!settled) return NO_DUPLICATES;
  await Promise.all(insertOthers(tx, write, true));
  for (const duplicates of Object.values(settled))
    for (const [runId, { missing }] of duplicates)
      if (missing > 0) await tx.query(ADD_DUPLICATES, [runId, line.slot, missing]);
  return receiptOf(settled);
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
  await executor.repeatable(() => noteHandOffs(write));
  return await executor.repeatable(async () => {
    try {
      return await insertNew(write);
    } catch (error) {
      if (!isConflict(error)) throw error;
      return await insertMissing(write);
    }
  });
}
