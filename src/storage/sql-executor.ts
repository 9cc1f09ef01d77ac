import type { Closeable } from '../lib/lifecycle.ts';

/** Values are text, numbers, booleans or null; arrays travel as PostgreSQL array literals. */
export type SqlParameter = string | number | bigint | boolean | null;

export interface SqlQueries {
  /**
   * Rows as arrays in the order of the columns; int8 comes as a number when it is a safe integer, else as a bigint.
   * @param name under which a statement that comes again and again is kept prepared; each name has one text
   */
  query(text: string, parameters?: readonly SqlParameter[], name?: string): Promise<unknown[][]>;
}

/**
 * What the ledger needs of a database; failures are `YeeterError`s of `storageError`. Where the database is a server
 * that cannot be reached for a while, connecting is tried again before anything fails.
 */
export interface SqlExecutor extends SqlQueries, Closeable {
  /** Other processes may write to the database at the same time. */
  readonly shared: boolean;
  /**
   * Does `work` again when its connection broke, for as long as the executor tries to connect. The broken try may
   * have been done all the same, so this is for work that may be done twice.
   */
  repeatable<T>(work: () => Promise<T>): Promise<T>;
  /**
   * One connection, BEGIN to COMMIT; ROLLBACK when `work` throws. Queries that are asked for together are answered in
   * their order, a server's without a round trip for each; when one fails, so do those after it.
   */
  transaction<T>(work: (queries: SqlQueries) => Promise<T>): Promise<T>;
}
