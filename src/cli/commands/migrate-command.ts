import type { Command } from 'commander';
import { configOf, type DurableFlags, withDatabaseUrl } from './durable-options.ts';

const EXAMPLES = `
Safe to run from several places at a time and again: one does the work, the others wait.

Examples:
  $ DATABASE_URL=postgres://yeeter@127.0.0.1:5432/yeeter yeeter migrate`;

export function addMigrateCommand(program: Command): void {
  withDatabaseUrl(program.command('migrate'))
    .description('make or bring up to date the tables in PostgreSQL')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: DurableFlags) => {
      const { requireSettings } = await import('../../roles/require-settings.ts');
      const { migratePostgres } = await import('../../storage/postgres/migrate-postgres.ts');
      await migratePostgres(requireSettings(configOf(flags), ['databaseUrl']).databaseUrl);
      process.stdout.write('the tables are up to date\n');
    });
}
