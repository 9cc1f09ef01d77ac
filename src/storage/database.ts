import { drizzle } from './drizzle.ts';
import type { SqlExecutor, SqlParameter, SqlQueries } from './sql-executor.ts';
import { storageError } from './storage-error.ts';

const NUL = /\0/g;

/** PostgreSQL's text cannot hold NUL, which what people and peers send may. */
function storable(parameter: unknown): SqlParameter {
  return typeof parameter === 'string' ? parameter.replace(NUL, '\ufffd') : (parameter as SqlParameter);
}

/** Drizzle over any executor or transaction. */
export function drizzleOf(queries: SqlQueries) {
  return drizzle(
    async (text, parameters) => ({ rows: await queries.query(text, parameters.map(storable)) }),
    { casing: 'snake_case' },
  );
}

export type Drizzle = ReturnType<typeof drizzleOf>;

/** How the parts of a store ask their database; what is thrown is one of ours. */
export interface Database {
  readonly executor: SqlExecutor;
  /** What may be done twice. */
  ask<T>(question: (db: Drizzle) => PromiseLike<T>): Promise<T>;
  /** Fails when the connection breaks, and may have been done then. */
  askOnce<T>(question: (db: Drizzle) => PromiseLike<T>): Promise<T>;
  /** What may be done twice, without Drizzle. */
  query<T>(work: (queries: SqlQueries) => Promise<T>): Promise<T>;
  /** A transaction that may be done twice. */
  change<T>(work: (db: Drizzle, tx: SqlQueries) => Promise<T>): Promise<T>;
  /** A transaction that fails when its connection breaks, and may have been done then. */
  changeOnce<T>(work: (db: Drizzle, tx: SqlQueries) => Promise<T>): Promise<T>;
}

/** @param where names the store in errors */
export function createDatabase(executor: SqlExecutor, where: string): Database {
  const db = drizzleOf(executor);
  const askOnce: Database['askOnce'] = async (question) => {
    try {
      return await question(db);
    } catch (error) {
      // Drizzle wraps errors.
      throw storageError(error, where);
    }
  };
  const changeOnce: Database['changeOnce'] = (work) => executor.transaction((tx) => work(drizzleOf(tx), tx));
  return {
    executor,
    ask: (question) => executor.repeatable(() => askOnce(question)),
    askOnce,
    query: (work) => executor.repeatable(() => work(executor)),
    change: (work) => executor.repeatable(() => changeOnce(work)),
    changeOnce,
  };
}
