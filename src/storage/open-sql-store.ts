import type { Clock } from '../lib/clock.ts';
import { createDatabase } from './database.ts';
import { createServerParts } from './server/server-parts.ts';
import type { ServerPort } from './server-port.ts';
import type { SqlExecutor } from './sql-executor.ts';
import { SqlStore } from './sql-store.ts';

/** The ledger and what the server keeps beside it, on one database. */
export type SqlServerStore = SqlStore & ServerPort;

/**
 * On tables that are up to date. `where` names the store in errors.
 * @throws {YeeterError} STORAGE_FAILED, DISK_FULL
 */
export async function openSqlStore(
  executor: SqlExecutor,
  clock: Clock,
  where: string,
): Promise<SqlServerStore> {
  const database = createDatabase(executor, where);
  const ledger = await SqlStore.open(database, clock);
  return Object.assign(ledger, createServerParts({ database, clock }));
}
