import { type Clock, systemClock } from '../../lib/clock.ts';
import { assertMigrated, migrate } from '../migrate.ts';
import { openSqlStore } from '../open-sql-store.ts';
import type { ServerStore } from '../server-port.ts';
import { openPg } from './pg-executor.ts';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database` */
  databaseUrl: string;
  /** Brings the tables up to date; without it they must be. @default false */
  migrate?: boolean;
  /** Connections at a time. @default 4 */
  poolSize?: number;
  /** How long what is asked waits for a database that went away, milliseconds. @default 60000 */
  retryForMs?: number;
  /** Of one attempt to connect, milliseconds. @default 10000 */
  connectTimeoutMs?: number;
  clock?: Clock;
  /** Told when the database's settings weaken the promise that nothing is lost. @default nobody */
  warn?: (line: string) => void;
}

const DURABILITY = ['synchronous_commit', 'fsync'];
const WEAK_SETTINGS = `
select string_agg(name || ' = off', ', ') from pg_settings where setting = 'off' and name = any($1::text[])`;

/**
 * PostgreSQL 15 or newer, for any number of processes. Once open, it outlasts a restart of the database: whatever is
 * asked meanwhile waits until it can connect; what was under way is asked again where that is harmless, so that only
 * what makes something new (`createRun`, `createUser`, ...), `deleteUser` and `heartbeat` may fail with CONNECT_FAILED
 * without saying whether they were done.
 * @throws {YeeterError} CONFIG_INVALID, CONNECT_*, LOGIN_REFUSED, SCHEMA_OUTDATED, STORAGE_FAILED, DISK_FULL
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<ServerStore> {
  const { databaseUrl, poolSize = 4, retryForMs = 60_000, clock = systemClock } = options;
  const executor = openPg(databaseUrl, { ...options, poolSize, retryForMs });
  try {
    if (options.migrate) await migrate(executor, executor.where);
    else await assertMigrated(executor, executor.where);
    const [row] = await executor.query(WEAK_SETTINGS, [`{${DURABILITY.join(',')}}`]);
    if (row?.[0]) {
      const what = `${executor.where} confirms what it has not written (${row[0]})`;
      options.warn?.(`${what}: if it crashes, jobs may be lost or done twice without being counted`);
    }
    return await openSqlStore(executor, clock, executor.where);
  } catch (error) {
    await executor.close();
    throw error;
  }
}
