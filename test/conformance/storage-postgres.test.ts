import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import type { LedgerBatch } from '../../src/storage/port.ts';
import { migratePostgres } from '../../src/storage/postgres/migrate-postgres.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-postgres-store.ts';
import { openPg } from '../../src/storage/postgres/pg-executor.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';
import type { Postgres } from '../support/postgres.ts';
import { EXTREMES, sumsOf } from '../support/row-sums.ts';
import { startPostgres, without } from '../support/services.ts';
import { coordinationConforms } from './coordination-suite.ts';
import { deadJobsConform } from './dead-jobs-suite.ts';
import { endpointLimitsConform } from './endpoint-limits-suite.ts';
import { attemptRow, batchOf, iterationRow, newRun, windowRow } from './ledger-rows.ts';
import { serverLedgerConforms } from './server-ledger-suite.ts';
import { serverConforms } from './server-suite.ts';
import { storageConforms } from './storage-suite.ts';

describe('a store in PostgreSQL', { skip: without('postgresql') }, () => {
  let postgres: Postgres;
  let databaseUrl: string;
  let store: ServerStore;
  let other: ServerStore;

  before(async () => {
    postgres = await startPostgres();
    databaseUrl = await postgres.createDatabase();
    [store, other] = await Promise.all([
      openPostgresStore({ databaseUrl, migrate: true }),
      openPostgresStore({ databaseUrl, migrate: true }),
    ]);
  });
  after(async () => {
    await Promise.all([store.close(), other.close()]);
    await postgres.close();
  });

  it('is made once by processes that start together', async () => {
    assert.deepEqual(await store.deployment(), await other.deployment());
  });

  it('warns of a database that confirms what it has not written', async () => {
    const lines: string[] = [];
    const weak = new URL(databaseUrl);
    weak.searchParams.set('options', '-c synchronous_commit=off');
    await (await openPostgresStore({ databaseUrl: weak.href, warn: (line) => lines.push(line) })).close();
    assert.match(lines.join('\n'), /synchronous_commit = off/);
  });

  storageConforms('PostgreSQL', () => store);
  coordinationConforms('PostgreSQL', () => ({ one: store, other }));
  deadJobsConform('PostgreSQL', () => ({ one: store, other }));
  endpointLimitsConform('PostgreSQL', () => ({ one: store, other }));
  serverConforms('PostgreSQL', () => ({ one: store, other }));
  serverLedgerConforms('PostgreSQL', () => ({ one: store, other }));

  it('keeps sums that are those of its rows', async () => {
    await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
    let jobs = 0;
    for (const { id } of await store.listRuns({ limit: 1000 })) {
      const { kept, added } = await sumsOf(executor, id);
      jobs += Number(added.jobs);
      // What a reopened job's last end was the least or the greatest of is not known any more.
      const { requeued } = await store.runTotals(id);
      const extremes = requeued > 0 ? Object.fromEntries(EXTREMES.map((name) => [name, added[name]])) : {};
      assert.deepEqual({ ...kept, ...extremes }, added);
    }
    assert.ok(jobs > 25_000);
  });

  it('has no writers that wait for each other for ever', async () => {
    const { id } = await store.createRun(newRun());
    for (let round = 0; round < 30; round++) {
      const [one, two] = [0, 1].map(() => Array.from({ length: 40 }, () => randomUUID()));
      const settle = (jobIds: readonly string[], pages: readonly number[]): LedgerBatch =>
        batchOf({
          attempts: jobIds.map((jobId) => attemptRow(id, { jobId })),
          handedOff: pages.map((page) => ({ runId: id, iteration: 1024 * page + round })),
        });
      await Promise.all([
        store.writeLedger(settle([...one!, ...two!], [1, 2])),
        other.writeLedger(settle([...two!.toReversed(), ...one!.toReversed()], [2, 1])),
      ]);
    }
    const { jobs, jobsSucceeded, duplicates } = await store.runTotals(id);
    assert.deepEqual([jobs, jobsSucceeded, duplicates], [2400, 2400, 2400]);
  });

  it('keeps the totals of a run that has been over for a while, until it is reopened', async () => {
    await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
    const inTwoMinutes: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 120_000 };
    await using later = await openPostgresStore({ databaseUrl, clock: inTwoMinutes });
    const isKept = async (runId: number): Promise<boolean> =>
      (await executor.query('select 1 from run_totals_kept where run_id = $1', [runId])).length > 0;
    const { id } = await store.createRun(newRun());
    const dead = attemptRow(id, { outcome: 'dead' });
    const failed = iterationRow(id, 1, { outcome: 'failed' });
    await store.writeLedger(batchOf({ attempts: [dead], iterations: [failed], windows: [windowRow(id, 1)] }));
    await later.totalsOfRuns([id]);
    await store.transitionRun(id, 'over_failed');
    const [fresh] = await store.totalsOfRuns([id]);
    assert.equal(await isKept(id), false, 'it was over only now');
    assert.deepEqual(await later.totalsOfRuns([id]), [fresh]);
    assert.equal(await isKept(id), true);
    await store.writeLedger(batchOf({ attempts: [attemptRow(id)] }));
    assert.deepEqual(await store.totalsOfRuns([id]), [fresh], 'it is not added up again');
    await store.reopenJobs([{ jobId: dead.jobId, runId: id, iteration: 1 }]);
    assert.equal(await isKept(id), false);
    const [reopened] = await later.totalsOfRuns([id]);
    assert.deepEqual([reopened!.requeued, reopened!.failed, reopened!.attempts], [1, 0, 2]);
    assert.equal(await isKept(id), false, 'it is under way');
  });

  it('finishes the deletion that a killed process has begun', async () => {
    await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
    const [left, { id }] = [await store.createRun(newRun()), await store.createRun(newRun())];
    await store.writeLedger(
      batchOf({ attempts: [attemptRow(left.id)], iterations: [iterationRow(left.id, 1)] }),
    );
    await executor.query('delete from runs where id = $1', [left.id]);
    await executor.query('insert into deleted_runs values ($1)', [left.id]);
    await store.transitionRun(id, 'over_failed');
    assert.deepEqual(await other.deleteRuns([id]), [id]);
    assert.deepEqual(await store.readAttempts(left.id, { afterId: 0, limit: 1 }), []);
    assert.equal(await store.countFinished(left.id), 0);
    assert.deepEqual(await executor.query('select * from deleted_runs'), []);
  });

  it('says that its tables are missing, and is migrated by any number of processes at once', async () => {
    const url = await postgres.createDatabase();
    await assert.rejects(openPostgresStore({ databaseUrl: url }), {
      code: 'SCHEMA_OUTDATED',
      message: /no tables of Yeeter: run "yeeter migrate"/,
    });
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    await Promise.all([migratePostgres(url, log), migratePostgres(url, log), migratePostgres(url, log)]);
    assert.equal(lines.length, 1, 'the others changed nothing');
    assert.match(lines[0]!, /^database .* had no tables of Yeeter: made them$/);
    await (await openPostgresStore({ databaseUrl: url })).close();
  });

  it('is not touched by a program older than its tables', async () => {
    const url = await postgres.createDatabase();
    await (await openPostgresStore({ databaseUrl: url, migrate: true })).close();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("insert into schema_migrations values (9000000000000, 'of a later version')");
    await client.end();
    await assert.rejects(openPostgresStore({ databaseUrl: url }), {
      code: 'SCHEMA_OUTDATED',
      message: /made by a newer Yeeter/,
    });
  });

  it('names the server, but not the password, when it does not answer', async () => {
    const silent = 'postgres://app:secret@127.0.0.1:1/ledger';
    await assert.rejects(openPostgresStore({ databaseUrl: silent }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'CONNECT_REFUSED');
      assert.match(error.message, /database 127\.0\.0\.1:1\/ledger/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });
});
