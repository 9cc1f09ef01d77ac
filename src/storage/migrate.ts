import { fileURLToPath } from 'node:url';
import { YeeterError } from '../lib/errors.ts';
import { readMigrationFiles } from './drizzle.ts';
import type { SqlExecutor, SqlQueries } from './sql-executor.ts';

/** Key of the advisory lock that lets one process at a time change the schema; an arbitrary constant. */
const MIGRATION_LOCK = 7_301_984_112;

const FOLDER = fileURLToPath(new URL('./migrations', import.meta.url));

const READ = 'select made_at_ms from schema_migrations order by made_at_ms';

async function appliedMigrations(tx: SqlQueries): Promise<number[]> {
  await tx.query(
    'create table if not exists schema_migrations (made_at_ms bigint primary key, hash text not null)',
  );
  const rows = await tx.query(READ);
  return rows.map((row) => Number(row[0]));
}

function isOfNewer(applied: Iterable<number>, newest: number): boolean {
  return [...applied].some((madeAtMs) => madeAtMs > newest);
}

function newerSchema(where: string): YeeterError {
  return new YeeterError(
    'SCHEMA_OUTDATED',
    `${where}: its tables were made by a newer Yeeter: use that version, or another data folder or database`,
  );
}

/** @throws {YeeterError} SCHEMA_OUTDATED unless the tables are those of this version */
export async function assertMigrated(queries: SqlQueries, where: string): Promise<void> {
  const migrations = readMigrationFiles({ migrationsFolder: FOLDER });
  const [there] = await queries.query("select to_regclass('schema_migrations') is not null");
  const rows = there?.[0] ? await queries.query(READ) : [];
  const applied = new Set(rows.map((row) => Number(row[0])));
  if (isOfNewer(applied, migrations.at(-1)!.folderMillis)) throw newerSchema(where);
  if (migrations.every(({ folderMillis }) => applied.has(folderMillis))) return;
  const what = applied.size === 0 ? 'it has no tables of Yeeter' : 'its tables were made by an older Yeeter';
  throw new YeeterError('SCHEMA_OUTDATED', `${where}: ${what}: run "yeeter migrate"`);
}

/** Migrations that the tables have had: before, and now. */
export interface Migrated {
  from: number;
  to: number;
}

/**
 * Brings the schema up to date in one transaction under an advisory lock, so that processes may start together.
 * @throws {YeeterError} SCHEMA_OUTDATED when a newer program has changed the schema
 */
export async function migrate(executor: SqlExecutor, where: string): Promise<Migrated> {
  const migrations = readMigrationFiles({ migrationsFolder: FOLDER });
  return await executor.transaction(async (tx) => {
    await tx.query('set local statement_timeout = 0');
    await tx.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const applied = new Set(await appliedMigrations(tx));
    const newest = migrations.at(-1)?.folderMillis ?? 0;
    if (isOfNewer(applied, newest)) throw newerSchema(where);
    for (const migration of migrations) {
      if (applied.has(migration.folderMillis)) continue;
      for (const statement of migration.sql) await tx.query(statement);
      await tx.query('insert into schema_migrations values ($1, $2)', [
        migration.folderMillis,
        migration.hash,
      ]);
    }
    return { from: applied.size, to: migrations.length };
  });
}
