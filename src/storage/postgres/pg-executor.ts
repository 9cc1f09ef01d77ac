import pg from 'pg';
import { backoffMs } from '../../lib/backoff.ts';
import { YeeterError } from '../../lib/errors.ts';
import { delay } from '../../lib/lifecycle.ts';
import { redact } from '../../lib/redact.ts';
import type { SqlExecutor, SqlParameter, SqlQueries } from '../sql-executor.ts';
import { isConnectionFault, storageError } from '../storage-error.ts';

const INT8 = 20;

function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === INT8 && format !== 'binary' ? parseInt8 : pg.types.getTypeParser(oid, format),
};

const CONNECT_TIMEOUT_MS = 10_000;
/** For a connection of the pool, which another may have. */
const FREE_TIMEOUT_MS = 10_000;
/** The server ends a statement, or a transaction that was left open, after this. */
const STATEMENT_TIMEOUT_MS = 60_000;
/** A server that has not answered by then is not there any more. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 10_000;

const RECONNECT = { delayMs: 100, backoff: 'exponential', maxDelayMs: 2_000 } as const;

/** Host, port and database of a connection URL, without its credentials. @throws {YeeterError} CONFIG_INVALID */
function nameOf(databaseUrl: string): string {
  const url = URL.parse(databaseUrl);
  if (url) return `database ${url.host}${url.pathname}`;
  throw new YeeterError('CONFIG_INVALID', `"${redact(databaseUrl)}" is no URL of a database`);
}

async function run(
  client: pg.PoolClient,
  text: string,
  parameters: readonly SqlParameter[] = [],
  name?: string,
) {
  const { rows } = await client.query<unknown[]>({
    ...(name === undefined ? {} : { name }),
    text,
    values: [...parameters],
    rowMode: 'array',
    types: TYPES,
  });
  return rows;
}

function createPool(databaseUrl: string, poolSize: number, connectTimeoutMs: number): pg.Pool {
  const pool = new pg.Pool({
    // The pool's own limit is also that of waiting for a connection that somebody has.
    Client: class extends pg.Client {
      constructor(config?: pg.ClientConfig) {
        super({ ...config, connectionTimeoutMillis: connectTimeoutMs });
      }
    },
    connectionString: databaseUrl,
    max: poolSize,
    application_name: 'yeeter',
    keepAlive: true,
    connectionTimeoutMillis: FREE_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    pipeline: true,
  });
  // A connection that breaks is replaced by the pool; what was under way on it fails by itself.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

export interface PgExecutor extends SqlExecutor {
  /** For messages; holds no credentials. */
  where: string;
}

export interface PgOptions {
  poolSize: number;
  /** How long connecting is tried again once it has succeeded before, milliseconds. */
  retryForMs: number;
  /** Of one attempt to connect, milliseconds. @default 10000 */
  connectTimeoutMs?: number;
}

/** Connects with the first query. @throws {YeeterError} CONFIG_INVALID */
export function openPg(databaseUrl: string, options: PgOptions): PgExecutor {
  const { poolSize, retryForMs, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const where = nameOf(databaseUrl);
  const pool = createPool(databaseUrl, poolSize, connectTimeoutMs);
  const closed = new AbortController();
  let wasThere = false;

  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storageError(error, where);
    }
  };

  /** Until `work` fails for another reason than its connection, or the time is up. */
  const whileAway = async <T>(work: () => Promise<T>): Promise<T> => {
    const untilMs = performance.now() + retryForMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await guarded(work);
      } catch (error) {
        const over = !wasThere || closed.signal.aborted || performance.now() >= untilMs;
        if (over || !isConnectionFault(error)) throw error;
      }
      await delay(backoffMs(RECONNECT, attempt), closed.signal);
    }
  };

  const connect = async (): Promise<pg.PoolClient> => {
    const client = await whileAway(() => pool.connect());
    wasThere = true;
    return client;
  };

  /** A connection whose state is not known is not given to anybody else. */
  const withClient = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await connect();
    let broken = false;
    try {
      return await guarded(() => work(client));
    } catch (error) {
      broken = isConnectionFault(error);
      throw error;
    } finally {
      client.release(broken);
    }
  };

  const transaction = <T>(work: (queries: SqlQueries) => Promise<T>): Promise<T> =>
    withClient(async (client) => {
      const begun = client.query('begin');
      // Whatever follows on this connection fails with it, and is awaited first.
      begun.catch(() => {});
      try {
        const result = await work({
          query: (text, parameters, name) => guarded(() => run(client, text, parameters, name)),
        });
        await begun;
        await client.query('commit');
        return result;
      } catch (error) {
        if (!isConnectionFault(storageError(error, where))) await client.query('rollback');
        throw error;
      }
    });

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closed.abort();
    closing ??= pool.end();
    return closing;
  };
  return {
    where,
    shared: true,
    repeatable: whileAway,
    query: (text, parameters, name) => withClient((client) => run(client, text, parameters, name)),
    transaction,
    close,
    [Symbol.asyncDispose]: close,
  };
}
