import { migrate } from '../migrate.ts';
import { openPg } from './pg-executor.ts';

/**
 * Makes or brings up to date the tables, under a lock, so that any number of processes may do so at a time.
 * @throws {YeeterError} CONNECT_*, LOGIN_REFUSED, SCHEMA_OUTDATED when they are those of a newer version, STORAGE_FAILED
 */
export async function migratePostgres(databaseUrl: string): Promise<void> {
  await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
  await migrate(executor, executor.where);
}
