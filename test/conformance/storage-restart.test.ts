import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/lib/clock.ts';
import { YeeterError } from '../../src/lib/errors.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import type { CoordinationPort } from '../../src/storage/coordination-port.ts';
import { openSqlStore } from '../../src/storage/open-sql-store.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-postgres-store.ts';
import { openPg } from '../../src/storage/postgres/pg-executor.ts';
import type { SqlExecutor } from '../../src/storage/sql-executor.ts';
import { isConnectionFault } from '../../src/storage/storage-error.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../support/postgres.ts';
import { without } from '../support/services.ts';
import { attemptRow, batchOf, eventRow, iterationRow, newRun } from './ledger-rows.ts';

const WRITER = fileURLToPath(new URL('./ledger-process.ts', import.meta.url));

interface Writer {
  child: ChildProcess;
  ended: Promise<number | null>;
  /** Resolves once it has written so many. */
  reaches(count: number): Promise<void>;
}

function startWriter(url: string, runId: number, first: number, count: number): Writer {
  const child = spawn(process.execPath, [WRITER, url, `${runId}`, `${first}`, `${count}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = createInterface({ input: child.stdout! });
  let written = 0;
  output.on('line', (line) => {
    written = Number(line);
  });
  return {
    child,
    ended: once(child, 'close').then(([code]) => code as number | null),
    reaches: async (wanted) => {
      while (written < wanted && child.exitCode === null) await once(output, 'line');
    },
  };
}

/** Every query and transaction is done, and its first answer lost. */
function losingAnswers(real: SqlExecutor): SqlExecutor {
  let lost = false;
  const losing = async <T>(work: () => Promise<T>): Promise<T> => {
    const result = await work();
    lost = !lost;
    if (lost) throw new YeeterError('CONNECT_FAILED', 'the answer was lost');
    return result;
  };
  return {
    ...real,
    query: (...asked) => losing(() => real.query(...asked)),
    repeatable: (work) =>
      work().catch((error) => {
        if (!isConnectionFault(error)) throw error;
        return work();
      }),
    transaction: (work) => losing(() => real.transaction(work)),
  };
}

describe('a database that crashes and comes back', { skip: without('postgresql') }, () => {
  let postgres: PrivatePostgres;
  let store: CoordinationPort;
  let databaseUrl: string;

  before(async () => {
    postgres = await startPrivatePostgres(['synchronous_commit = on']);
    databaseUrl = await postgres.createDatabase();
    store = await openPostgresStore({ databaseUrl, migrate: true });
  });
  after(async () => {
    await store.close();
    await postgres.close();
  });

  it('has each row of two processes that wrote meanwhile, once', async () => {
    const { id } = await store.createRun(newRun());
    const writers = [startWriter(databaseUrl, id, 1, 2500), startWriter(databaseUrl, id, 2501, 2500)];
    for (const written of [300, 900, 1500]) {
      await Promise.all(writers.map((writer) => writer.reaches(written)));
      await postgres.crash();
      await delay(100);
      await postgres.start();
    }
    assert.deepEqual(await Promise.all(writers.map(({ ended }) => ended)), [0, 0]);
    const totals = await store.runTotals(id);
    assert.deepEqual([totals.completed, totals.attempts, totals.jobs], [5000, 5000, 5000]);
    assert.deepEqual([totals.jobsSucceeded, totals.duplicates, totals.sutUs], [5000, 0, 5000 * 1500]);
    assert.equal(await store.countFinished(id), 5000);
    const attempts = await store.readAttempts(id, { afterId: 0, limit: 10_000 });
    assert.equal(new Set(attempts.map(({ patientIteration }) => patientIteration)).size, 5000);
    const events = await store.readEvents(id, { afterId: 0, limit: 10_000 });
    assert.deepEqual(
      events.map(({ iteration }) => iteration).sort((a, b) => a - b),
      Array.from({ length: 5000 }, (_, i) => i + 1),
    );
    assert.deepEqual(await store.handedOffIterations(id, { after: 0, limit: 10 }), []);
  });

  it('answers what was asked while it was away', async () => {
    const run = await store.createRun(newRun());
    const claim = (await store.claimRun('a', 60_000))!;
    await postgres.crash();
    const asked = Promise.all([
      store.getRun(run.id),
      store.control(),
      store.renewLease(claim.run.id, claim.fence, 60_000),
      store.transitionRun(claim.run.id, 'start', { fence: claim.fence }),
    ]);
    await postgres.start();
    const [read, , renewed, started] = await asked;
    assert.deepEqual([read.id, renewed, started.status], [run.id, true, 'RUNNING']);
  });

  it('is asked again when its answer was lost, and has what was written and moved once', async () => {
    const real = openPg(databaseUrl, { poolSize: 2, retryForMs: 60_000 });
    await using forgetful = await openSqlStore(losingAnswers(real), systemClock, real.where);
    const { id } = await store.createRun(newRun());
    const batch = batchOf({
      handedOff: [{ runId: id, iteration: 1 }],
      attempts: [attemptRow(id)],
      iterations: [iterationRow(id, 1)],
      events: [eventRow(id)],
    });
    await forgetful.writeLedger(batch);
    await forgetful.writeLedger({ ...batch, attempts: [attemptRow(id)] });
    // In one statement, without a transaction around it.
    await forgetful.writeLedger(batchOf({ attempts: [attemptRow(id)], iterations: [iterationRow(id, 2)] }));
    // Two batches of rows that never clash; the second has its answer at once.
    for (let n = 0; n < 2; n++) await forgetful.writeLedger(batchOf({ events: [eventRow(id)] }));
    const totals = await store.runTotals(id);
    assert.deepEqual([totals.completed, totals.attempts, totals.jobs, totals.duplicates], [2, 3, 3, 1]);
    assert.equal((await store.readEvents(id, { afterId: 0, limit: 10 })).length, 4);
    assert.equal((await forgetful.transitionRun(id, 'start')).status, 'RUNNING');
    assert.equal((await forgetful.transitionRun(id, 'over_ok')).status, 'COMPLETED');
    await assert.rejects(forgetful.transitionRun(id, 'over_ok'), { code: 'RUN_STATE' });
  });

  it('is given up after the time that was allowed', async () => {
    const impatient = await openPostgresStore({ databaseUrl, retryForMs: 300 });
    await postgres.crash();
    await assert.rejects(impatient.control(), { code: 'CONNECT_REFUSED', message: /nothing listens there/ });
    const waiting = store.control();
    const closed = impatient.close();
    await postgres.start();
    await Promise.all([waiting, closed]);
  });
});
