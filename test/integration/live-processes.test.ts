import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { announceChanges } from '../../src/live/announce.ts';
import { createPostgresLive } from '../../src/live/postgres-live.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-postgres-store.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';
import { attemptRow, batchOf, eventRow, newRun } from '../conformance/ledger-rows.ts';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import type { Postgres } from '../support/postgres.ts';
import { templateFrom } from '../support/run.ts';
import { startPostgres, without } from '../support/services.ts';
import { until } from '../support/until.ts';

const TEMPLATE = templateFrom(`
name: live
steps:
  - {step_type: WAIT, execution: async, queue: orders, parameters: {duration_seconds: 0}}
`);

/** As each process has it: connections of its own to the same database. */
interface Process {
  store: ServerStore;
  close(): Promise<void>;
}

describe('live over several processes', { skip: without('postgresql') }, () => {
  let postgres: Postgres;
  let databaseUrl: string;
  const servers: LiveServer[] = [];
  const opened: Process[] = [];

  const open = async (
    migrate = false,
  ): Promise<Process & { live: ReturnType<typeof createPostgresLive> }> => {
    const own = await openPostgresStore({ databaseUrl, migrate });
    const live = createPostgresLive({ databaseUrl });
    const store = announceChanges(own, live);
    const close = async (): Promise<void> => {
      await live.close();
      await own.close();
    };
    const process = { store, live, close };
    opened.push(process);
    return process;
  };

  before(async () => {
    postgres = await startPostgres();
    databaseUrl = await postgres.createDatabase();
    for (const migrate of [true, false]) servers.push(await startLiveServer(await open(migrate)));
  });
  after(async () => {
    for (const server of servers) await server.close();
    for (const process of opened) await process.close();
    await postgres.close();
  });

  it('tells the clients of each server every event once, whichever process wrote it', async () => {
    const writers = [await open(), await open(), await open()];
    const run = await writers[0]!.store.createRun(newRun({ userId: 7, template: TEMPLATE }));
    const clients = [await servers[0]!.connect('user:7'), await servers[1]!.connect('user:7')];
    for (const client of clients) await client.join(run.id);
    await writers[0]!.store.transitionRun(run.id, 'start');
    // Under 20 a second, rows and statuses together; other runs take ids in between.
    const other = await writers[0]!.store.createRun(newRun({ template: TEMPLATE }));
    for (let n = 0; n < 4; n++) {
      await Promise.all(
        writers.map(({ store }, writer) =>
          store.writeLedger(
            batchOf({
              events: [eventRow(run.id, { iteration: n, details: `${writer}` }), eventRow(other.id)],
              attempts: [attemptRow(run.id, { queue: 'orders', patientIteration: n * 3 + writer + 1 })],
            }),
          ),
        ),
      );
    }
    const stored = await writers[0]!.store.readEvents(run.id, { afterId: 0, limit: 100 });
    const ids = stored.map(({ id }) => id);
    assert.equal(ids.length, 12);
    for (const client of clients) {
      const events = () => client.of<{ event: { id: number } }>('sim_log_update');
      const jobs = () => client.of<{ job: { id: number } }>('simulation_async_job_completed');
      await until(() => events().length >= 12 && jobs().length >= 12);
      assert.deepEqual(
        events()
          .map(({ event }) => event.id)
          .sort((a, b) => a - b),
        ids,
      );
      assert.equal(new Set(jobs().map(({ job }) => job.id)).size, 12);
      assert.equal(jobs().length, 12);
      await until(() => client.of('simulation_async_progress').at(-1)?.completed_jobs === 12);
    }
    await writers[2]!.store.transitionRun(run.id, 'over_ok', { startedIterations: 12 });
    for (const client of clients)
      await until(() => client.of('sim_run_status_update').at(-1)?.status === 'COMPLETED');
  });

  it('tells a row that became visible after ones with higher ids', async () => {
    const { store } = await open();
    const run = await store.createRun(newRun({ userId: 7, template: TEMPLATE }));
    const client = await servers[0]!.connect('user:7');
    await client.join(run.id);
    await using slow = await lateWriter(databaseUrl, run.id);
    await store.writeLedger(batchOf({ events: [eventRow(run.id, { details: 'early' })] }));
    const details = () =>
      client.of<{ event: { details: string } }>('sim_log_update').map(({ event }) => event.details);
    await until(() => details().includes('early'));
    await slow.commit();
    await until(() => details().includes('late'));
    assert.deepEqual(details(), ['early', 'late']);
  });
});

/** Has taken an id for its event, and commits later. */
async function lateWriter(
  databaseUrl: string,
  runId: number,
): Promise<AsyncDisposable & { commit(): Promise<void> }> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('begin');
  await client.query(
    'insert into run_events (run_id, timestamp_ms, step_order, iteration, status, details) values ($1, 0, 0, 0, $2, $3)',
    [runId, 'INFO', 'late'],
  );
  return {
    commit: async () => {
      await client.query('commit');
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
