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

/** PostgreSQL gives up after a PANIC (a log that cannot be written, for example), and WebAssembly after a trap. */
function isFatal(error: unknown): boolean {
  if (error instanceof Error && error.name === 'RuntimeError') return true;
  const severity = (error as { severity?: unknown } | null)?.severity;
  return severity === 'PANIC' || severity === 'FATAL';
}

/** @throws {YeeterError} STORAGE_FAILED, DISK_FULL */
export async function openPglite(folder: string, where: string): Promise<SqlExecutor> {
  const db = await PGlite.create({
    dataDir: folder,
    serializers: SERIALIZERS,
    parsers: PARSERS,
    postgresqlconf: SETTINGS,
  }).catch((error: unknown) => {
    throw storageError(error, where);
  });

  let fatal: YeeterError | null = null;
  const underWay = new Set<(error: YeeterError) => void>();
  /** What waits in a database that has given up would wait for ever. */
  const giveUp = (error: YeeterError): void => {
    fatal ??= error;
    for (const reject of underWay) reject(fatal);
  };
  const guarded = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (fatal) return reject(fatal);
      underWay.add(reject);
      work()
        .then(resolve, (thrown: unknown) => {
          const error = storageError(thrown, where);
          if (isFatal(thrown)) giveUp(error);
          reject(error);
        })
        .finally(() => underWay.delete(reject));
    });
  const run = async (source: QuerySource, text: string, parameters: readonly SqlParameter[] = []) => {
    const { rows } = await source.query(text, [...parameters], { rowMode: 'array' });
    return rows as unknown[][];
  };

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= fatal ? Promise.resolve() : guarded(() => db.close());
    return closing;
  };
  const assertOpen = (): void => {
    if (closing) throw new YeeterError('STORAGE_FAILED', `${where} is closed`);
  };
  return {
    shared: false,
    repeatable: (work) => work(),
    query: async (text, parameters) => {
      assertOpen();
      return await guarded(() => run(db, text, parameters));
    },
    transaction: async (work) => {
      assertOpen();
      return await guarded(() =>
        db.transaction((tx) => {
          const queries: SqlQueries = {
            query: (text, parameters) => guarded(() => run(tx, text, parameters)),
          };
          return work(queries);
        }),
      );
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
