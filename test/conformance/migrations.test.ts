import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from '../../src/storage/drizzle.ts';
import { ALONE } from '../../src/storage/ledger-statements.ts';
import { encodeLedger } from '../../src/storage/ledger-tables.ts';
import { migratePostgres } from '../../src/storage/postgres/migrate-postgres.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-postgres-store.ts';
import { openPg } from '../../src/storage/postgres/pg-executor.ts';
import type { Postgres } from '../support/postgres.ts';
import { sumsOf } from '../support/row-sums.ts';
import { startPostgres, without } from '../support/services.ts';
import { attemptRow, batchOf, iterationRow, newRun } from './ledger-rows.ts';

const MIGRATIONS = readMigrationFiles({
  migrationsFolder: fileURLToPath(new URL('../../src/storage/migrations', import.meta.url)),
});

const INSERT = `
insert into runs (status, template, seed, namespace, clock_start_ms, patient_count, concurrency, on_failure, tags,
  created_at_ms, updated_at_ms)
values ('COMPLETED', $1, 1, 1, 1, 1, 1, 'continue', '[]', 1, 1)`;

describe('tables of an older version', { skip: without('postgresql') }, () => {
  let postgres: Postgres;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres.close());

  /** As the first `count` migrations left them. */
  const databaseAfter = async (count: number): Promise<string> => {
    const url = await postgres.createDatabase();
    await using executor = openPg(url, { poolSize: 1, retryForMs: 0 });
    await executor.transaction(async (tx) => {
      await tx.query('create table schema_migrations (made_at_ms bigint primary key, hash text not null)');
      for (const { sql, folderMillis, hash } of MIGRATIONS.slice(0, count)) {
        for (const statement of sql) await tx.query(statement);
        await tx.query('insert into schema_migrations values ($1, $2)', [folderMillis, hash]);
      }
    });
    return url;
  };

  it('are brought up to date, which is said once', async () => {
    const databaseUrl = await databaseAfter(2);
    const lines: string[] = [];
    for (let start = 0; start < 2; start++) await migratePostgres(databaseUrl, (line) => lines.push(line));
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, new RegExp(`: migrated its tables from version 2 to ${MIGRATIONS.length}$`));
  });

  it('have the names of their runs once they are brought up to date', async () => {
    const databaseUrl = await databaseAfter(2);
    const names = ['orders', 'say "hi" \\ \u00fc', 'tab\there', ''];
    {
      await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
      for (const name of names)
        await executor.query(INSERT, [JSON.stringify({ ...newRun().template, name })]);
    }
    await assert.rejects(openPostgresStore({ databaseUrl }), { code: 'SCHEMA_OUTDATED' });
    await using store = await openPostgresStore({ databaseUrl, migrate: true });
    const runs = await store.listRunSummaries({ limit: 9 });
    assert.deepEqual(
      runs.map(({ templateName }) => templateName),
      names.toReversed(),
    );
    assert.equal((await store.createRun(newRun())).id, names.length + 1);
  });

  it('have the sums of their runs, and those that were kept stay as they are', async () => {
    const databaseUrl = await databaseAfter(5);
    const asBefore = { attempts: 7, jobs: 5 };
    {
      await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
      await executor.query("alter table runs alter template_name set default ''");
      for (let n = 0; n < 3; n++) await executor.query(INSERT, [JSON.stringify(newRun().template)]);
      const { attempts, iterations } = encodeLedger(
        batchOf({
          attempts: [1, 2].flatMap((run) => [
            attemptRow(run, { outcome: 'dead', durationUs: 70 }),
            attemptRow(run, { outcome: 'retried' }),
            attemptRow(run),
          ]),
          iterations: [1, 2].flatMap((run) => [
            iterationRow(run, 1),
            iterationRow(run, 2, { outcome: 'failed', studyInstanceUids: ['1.2'] }),
          ]),
        }),
      );
      await executor.query(ALONE.attempts, attempts!.columns);
      await executor.query(ALONE.iterations, iterations!.columns);
      await executor.query(
        'insert into run_sums (run_id, slot, duplicates, attempts, jobs) values (1, 0, 4, 0, 0), (2, 9, 0, $1, $2)',
        [asBefore.attempts, asBefore.jobs],
      );
    }
    await using store = await openPostgresStore({ databaseUrl, migrate: true });
    await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
    const { kept, added } = await sumsOf(executor, 1);
    assert.deepEqual(kept, added);
    assert.deepEqual([kept.attempts, kept.jobs, kept.jobs_dead, kept.failed], [3, 2, 1, 1]);
    assert.equal((await store.runTotals(1)).duplicates, 4);
    const { attempts, jobs, completed } = await store.runTotals(2);
    assert.deepEqual({ attempts, jobs, completed }, { ...asBefore, completed: 0 });
    assert.deepEqual((await store.runTotals(3)).attempts, 0);
  });

  it('know which patients of a run under way were handed off, and which of its jobs are settled', async () => {
    const databaseUrl = await databaseAfter(8);
    const [under, over] = [1, 2];
    const jobs = [1, 2, 1023, 1024, 5000].map((iteration) => ({ iteration, jobId: crypto.randomUUID() }));
    const [settled, ...open] = jobs;
    {
      await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
      await executor.query("alter table runs alter template_name set default ''");
      for (const _ of [under, over]) await executor.query(INSERT, [JSON.stringify(newRun().template)]);
      await executor.query('update runs set completed_at_ms = 1 where id = $1', [over]);
      const insert =
        'insert into jobs (run_id, job_id, iteration, segment, outcome, attempt) values ($1, $2, $3, 1, $4, $5)';
      for (const { iteration, jobId } of jobs) {
        const outcome = jobId === settled!.jobId ? ['success', 1] : [null, null];
        for (const run of [under, over]) await executor.query(insert, [run, jobId, iteration, ...outcome]);
      }
      for (const run of [under, over]) {
        await executor.query('insert into run_sums (run_id, slot, jobs) values ($1, 0, $2)', [
          run,
          jobs.length,
        ]);
      }
    }
    await using store = await openPostgresStore({ databaseUrl, migrate: true });
    await store.writeLedger(batchOf({ iterations: [iterationRow(under, settled!.iteration)] }));
    const page = { after: 0, limit: 10 };
    assert.deepEqual(
      await store.handedOffIterations(under, page),
      open.map(({ iteration }) => iteration),
    );
    assert.deepEqual(await store.handedOffIterations(over, page), []);
    assert.deepEqual(await store.settlementOf(under, settled!.jobId), { outcome: 'success', error: null });
    assert.equal(await store.settlementOf(under, open[0]!.jobId), null);
    await store.writeLedger(batchOf({ attempts: open.map(({ jobId }) => attemptRow(under, { jobId })) }));
    const { jobs: counted, jobsSucceeded, duplicates } = await store.runTotals(under);
    assert.deepEqual([counted, jobsSucceeded, duplicates], [jobs.length, open.length, 0]);
    assert.equal((await store.runTotals(over)).jobs, jobs.length);
  });
});
