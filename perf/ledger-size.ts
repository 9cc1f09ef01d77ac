/**
 * A large ledger in PostgreSQL: what a million jobs take on disk, how fast they go in, and how long a person waits for
 * the totals of their run and for a page of its jobs.
 *
 *   node perf/ledger-size.ts [--jobs 1000000] [--batch 1000] [--writers 2] [--repetitions 9] [--durable] [--json]
 *
 * Each job is handed off, tried and ends its patient: a row in `jobs`, one in `job_attempts`, one in `iterations`, as a
 * runner's and a worker's batches bring them, with ten runs beside it of a thousand jobs each and windows of 6 series
 * and 2 processes for each second that the run would last at 6,000 jobs a second. One job in a thousand is dead. A
 * private server holds it, by default without fsync as in the tests; `--durable` turns that on.
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import type { CoordinationPort } from '../src/storage/coordination-port.ts';
import { openPostgresStore } from '../src/storage/postgres/open-postgres-store.ts';
import { newRun } from '../test/conformance/ledger-rows.ts';
import { startPrivatePostgres } from '../test/support/postgres.ts';
import { fillJobs, fillWindows } from './support/seed-ledger.ts';
import { spread } from './support/spread.ts';
import { timesMs } from './support/times.ts';

const JOBS_PER_SECOND = 6_000;
const PAGE = 500;
const DURABLE = ['fsync = on', 'synchronous_commit = on', 'full_page_writes = on'];

async function tableBytes(databaseUrl: string): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string; bytes: string }>(
      'select relname as name, pg_total_relation_size(oid) as bytes from pg_class ' +
        "where relkind = 'r' and relnamespace = 'public'::regnamespace and pg_total_relation_size(oid) > 1e6",
    );
    return Object.fromEntries(tables.rows.map(({ name, bytes }) => [name, Number(bytes)]));
  } finally {
    await client.end();
  }
}

/** Milliseconds of what a person asks of the run. */
async function answers(
  store: CoordinationPort,
  runId: number,
  repetitions: number,
): Promise<Record<string, number[]>> {
  const [first] = await store.readAttempts(runId, { afterId: 0, limit: 1 });
  const middle = {
    afterId: first!.id + Math.floor((await store.runTotals(runId)).attempts / 2),
    limit: PAGE,
  };
  const ask = (work: () => Promise<unknown>): Promise<number[]> => timesMs(repetitions, work);
  return {
    'run totals': await ask(() => store.runTotals(runId)),
    'counts of a run': await ask(() => store.runCounts(runId)),
    'first page of jobs (500)': await ask(() => store.readAttempts(runId, { afterId: 0, limit: PAGE })),
    'page in the middle (500)': await ask(() => store.readAttempts(runId, middle)),
    'dead jobs (100)': await ask(() => store.deadJobs({ runId, limit: 100 })),
    'jobs under way, after a crash': await ask(() =>
      store.handedOffIterations(runId, { after: 0, limit: 10_000 }),
    ),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      jobs: { type: 'string', default: '1000000' },
      batch: { type: 'string', default: '1000' },
      writers: { type: 'string', default: '2' },
      repetitions: { type: 'string', default: '9' },
      durable: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const load = { jobs: Number(values.jobs), batch: Number(values.batch), writers: Number(values.writers) };
  await using postgres = await startPrivatePostgres(values.durable ? DURABLE : []);
  const databaseUrl = await postgres.createDatabase();
  await using store = await openPostgresStore({ databaseUrl, migrate: true });
  const { id: runId } = await store.createRun(newRun());
  const startedAt = performance.now();
  await fillJobs(store, runId, load);
  const jobsPerSecond = (load.jobs / (performance.now() - startedAt)) * 1000;
  const bytes = await tableBytes(databaseUrl);
  for (let i = 0; i < 10; i++) {
    await fillJobs(store, (await store.createRun(newRun())).id, { ...load, jobs: 1_000 });
  }
  await fillWindows(store, runId, Math.ceil(load.jobs / JOBS_PER_SECOND));
  const milliseconds = await answers(store, runId, Number(values.repetitions));
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ load, jobsPerSecond, bytes, milliseconds })}\n`);
    return;
  }
  const line = (name: string, text: string): void => void process.stdout.write(`${name.padEnd(40)}${text}\n`);
  line('jobs/s, handed off, tried and ended', jobsPerSecond.toFixed(0));
  const all = Object.values(bytes).reduce((sum, n) => sum + n, 0);
  line('MB per million jobs', (all / load.jobs).toFixed(0));
  for (const [table, size] of Object.entries(bytes)) line(`  ${table}`, (size / load.jobs).toFixed(0));
  for (const [question, times] of Object.entries(milliseconds)) line(`${question}, ms`, spread(times, 1));
}

await main();
