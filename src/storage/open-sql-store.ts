import type { Clock } from '../lib/clock.ts';
import { createDatabase } from './database.ts';
import { createLedgerReads } from './ledger-reads.ts';
import { createRegisteredTargets } from './registered-targets.ts';
import { createServerParts } from './server/server-parts.ts';
import type { ServerStore } from './server-port.ts';
import type { SqlExecutor } from './sql-executor.ts';
import { SqlStore } from './sql-store.ts';

/** The whole store, which also takes batches that were encoded on another thread. */
export type SqlServerStore = ServerStore & Pick<SqlStore, 'writeEncodedLedger'>;

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
  return Object.assign(await SqlStore.open(database, clock), {
    ...createLedgerReads(database),
    ...createRegisteredTargets(database),
    ...createServerParts({ database, clock }),
  });
}
