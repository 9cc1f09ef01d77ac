import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { YeeterError } from '../lib/errors.ts';
import type { SqlExecutor, SqlQueries } from './sql-executor.ts';

/** Key of the advisory lock that lets one process at a time change the schema; an arbitrary constant. */
const MIGRATION_LOCK = 7_301_984_112;

const FOLDER = fileURLToPath(new URL('./migrations', import.meta.url));

async function appliedMigrations(tx: SqlQueries): Promise<number[]> {
  await tx.query(
    'create table if not exists schema_migrations (made_at_ms bigint primary key, hash text not null)',
  );
  const rows = await tx.query('select made_at_ms from schema_migrations order by made_at_ms');
  return rows.map((row) => Number(row[0]));
}

/**
 * Brings the schema up to date in one transaction under an advisory lock, so that processes may start together.
 * @throws {YeeterError} STORAGE_FAILED when a newer program has changed the schema
 */
export async function migrate(executor: SqlExecutor, where: string): Promise<void> {
  const migrations = readMigrationFiles({ migrationsFolder: FOLDER });
  await executor.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const applied = new Set(await appliedMigrations(tx));
    const newest = migrations.at(-1)?.folderMillis ?? 0;
    if ([...applied].some((madeAtMs) => madeAtMs > newest)) {
      throw new YeeterError(
        'STORAGE_FAILED',
        `${where}: its tables were made by a newer Yeeter: use that version, or another data folder or database`,
      );
    }
    for (const migration of migrations) {
      if (applied.has(migration.folderMillis)) continue;
      for (const statement of migration.sql) await tx.query(statement);
      await tx.query('insert into schema_migrations values ($1, $2)', [
        migration.folderMillis,
        migration.hash,
      ]);
    }
  });
}
