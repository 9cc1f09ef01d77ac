import { migrate } from '../migrate.ts';
import { openPg } from './pg-executor.ts';

/**
 * Makes or brings up to date the tables, under a lock, so that any number of processes may do so at a time.
 * @param log told what was changed, and nothing when nothing was
 * @throws {YeeterError} CONNECT_*, LOGIN_REFUSED, SCHEMA_OUTDATED when they are those of a newer version, STORAGE_FAILED
 */
export async function migratePostgres(
  databaseUrl: string,
  log: (line: string) => void = () => {},
): Promise<void> {
  await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
  const { from, to } = await migrate(executor, executor.where);
  if (from === 0) log(`${executor.where} had no tables of Yeeter: made them`);
  else if (from < to) log(`${executor.where}: migrated its tables from version ${from} to ${to}`);
}
