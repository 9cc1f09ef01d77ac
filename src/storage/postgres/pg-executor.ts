import pg from 'pg';
import type { SqlExecutor, SqlParameter, SqlQueries } from '../sql-executor.ts';
import { storageError } from '../storage-error.ts';

const INT8 = 20;

function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === INT8 && format !== 'binary' ? parseInt8 : pg.types.getTypeParser(oid, format),
};

/** Host, port and database of a connection URL, without its credentials. */
function nameOf(databaseUrl: string): string {
  try {
    const { host, pathname } = new URL(databaseUrl);
    return `database ${host}${pathname}`;
  } catch {
    return 'database';
  }
}

async function run(source: pg.Pool | pg.PoolClient, text: string, parameters: readonly SqlParameter[] = []) {
  const { rows } = await source.query<unknown[]>({
    text,
    values: [...parameters],
    rowMode: 'array',
    types: TYPES,
  });
  return rows;
}

export interface PgExecutor extends SqlExecutor {
  /** For messages; holds no credentials. */
  where: string;
}

/** Connects with the first query. */
export function openPg(databaseUrl: string, poolSize: number): PgExecutor {
  const where = nameOf(databaseUrl);
  const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });
  // An idle connection that breaks is replaced by the pool; the next query says what is wrong.
  pool.on('error', () => {});
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storageError(error, where);
    }
  };
  const transaction = async <T>(work: (queries: SqlQueries) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | boolean = false;
    try {
      await client.query('begin');
      const result = await work({
        query: (text, parameters) => guarded(() => run(client, text, parameters)),
      });
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((fault: Error) => (broken = fault));
      throw error;
    } finally {
      client.release(broken);
    }
  };
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= pool.end();
    return closing;
  };
  return {
    where,
    query: (text, parameters) => guarded(() => run(pool, text, parameters)),
    transaction: (work) => guarded(() => transaction(work)),
    close,
    [Symbol.asyncDispose]: close,
  };
}
