import { PGlite } from '@electric-sql/pglite';
import { YeeterError } from '../../lib/errors.ts';
import type { SqlExecutor, SqlParameter, SqlQueries } from '../sql-executor.ts';
import { storageError } from '../storage-error.ts';

/** Object ids of the array types that the ledger sends, which come as literals (PostgreSQL's pg_type.dat). */
const ARRAY_TYPES = { bool: 1000, int4: 1007, text: 1009, int8: 1016, float8: 1022, uuid: 2951 };
const INT8 = 20;

const asTheyAre = (value: unknown): string => String(value);
const SERIALIZERS = Object.fromEntries(Object.values(ARRAY_TYPES).map((oid) => [oid, asTheyAre]));
const PARSERS = {
  [INT8]: (text: string): number | bigint => {
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : BigInt(text);
  },
};

/**
 * PGlite writes without fsync, so that full-page images in the log, which repair pages torn by a machine's
 * crash, would cost a third of the log and repair nothing.
 */
const SETTINGS = ['full_page_writes = off'];

interface QuerySource {
  query(
    text: string,
    parameters?: SqlParameter[],
    options?: { rowMode: 'array' },
  ): Promise<{ rows: unknown[] }>;
}

/** @throws {YeeterError} STORAGE_FAILED, DISK_FULL */
export async function openPglite(folder: string, where: string): Promise<SqlExecutor> {
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storageError(error, where);
    }
  };
  const db = await guarded(() =>
    PGlite.create({ dataDir: folder, serializers: SERIALIZERS, parsers: PARSERS, postgresqlconf: SETTINGS }),
  );
  const run = async (source: QuerySource, text: string, parameters: readonly SqlParameter[] = []) => {
    const { rows } = await source.query(text, [...parameters], { rowMode: 'array' });
    return rows as unknown[][];
  };
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= guarded(() => db.close());
    return closing;
  };
  const open = (): void => {
    if (closing) throw new YeeterError('STORAGE_FAILED', `${where} is closed`);
  };
  return {
    query: (text, parameters) =>
      guarded(() => {
        open();
        return run(db, text, parameters);
      }),
    transaction: (work) =>
      guarded(() => {
        open();
        return db.transaction((tx) => {
          const queries: SqlQueries = {
            query: (text, parameters) => guarded(() => run(tx, text, parameters)),
          };
          return work(queries);
        });
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
