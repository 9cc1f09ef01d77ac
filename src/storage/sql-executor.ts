import type { Closeable } from '../lib/lifecycle.ts';

/** Values are text, numbers, booleans or null; arrays travel as PostgreSQL array literals. */
export type SqlParameter = string | number | bigint | boolean | null;

export interface SqlQueries {
  /** Rows as arrays in the order of the columns; int8 comes as a number when it is a safe integer, else as a bigint. */
  query(text: string, parameters?: readonly SqlParameter[]): Promise<unknown[][]>;
}

/** What the ledger needs of a database; failures are `YeeterError`s of `storageError`. */
export interface SqlExecutor extends SqlQueries, Closeable {
  /** One connection, BEGIN to COMMIT; ROLLBACK when `work` throws. */
  transaction<T>(work: (queries: SqlQueries) => Promise<T>): Promise<T>;
}
