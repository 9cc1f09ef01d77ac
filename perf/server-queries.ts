/**
 * How long a person waits for what the server asks of a ledger that has been in use for long, in either database.
 *
 *   node perf/server-queries.ts [--database pglite|postgres] [--attempts 1000000] [--runs 10000] [--repetitions 5] [--json]
 *
 * One run has all the attempts and as many events; the others before it have five jobs each. One attempt in a
 * thousand has failed. What is kept or remembered of an answer shows as the first of its times.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_QUEUE } from '../src/domain/template.ts';
import { openPgliteStore } from '../src/storage/pglite/open-pglite-store.ts';
import { openPostgresStore } from '../src/storage/postgres/open-postgres-store.ts';
import type { ServerStore } from '../src/storage/server-port.ts';
import { startPrivatePostgres } from '../test/support/postgres.ts';
import { seedLedger } from './support/seed-ledger.ts';
import { spread } from './support/spread.ts';
import { timesMs } from './support/times.ts';

type Questions = Record<string, () => Promise<unknown>>;

const PAGE = 200;

function questions(store: ServerStore, large: number, small: readonly number[]): Questions {
  const page = { limit: PAGE, offset: 0 };
  const attempts = (filter: object) => () => store.listAttempts({ limit: PAGE, ...filter });
  return {
    'list of all runs': () => store.listRunSummaries({ limit: small.length + 1 }),
    'list of 100 runs': () => store.listRunSummaries({ limit: 100 }),
    'totals of 100 runs': () => store.totalsOfRuns(small.slice(-100)),
    'totals of the large run': () => store.totalsOfRuns([large]),
    'newest attempts': attempts({}),
    'newest failures': attempts({ success: false }),
    'newest successes': attempts({ success: true }),
    'attempts of a queue': attempts({ queue: DEFAULT_QUEUE }),
    'attempts of a queue that has none': attempts({ queue: 'none' }),
    'attempts of the large run': attempts({ runId: large }),
    'failures of the large run': attempts({ runId: large, success: false }),
    'failures of the large run and queue': attempts({ runId: large, success: false, queue: DEFAULT_QUEUE }),
    'attempts of a small run': attempts({ runId: small[0] ?? large }),
    'failures of a small run': attempts({ runId: small[0] ?? large, success: false }),
    'attempts of a user without any': attempts({ userId: 999_999 }),
    'first page of attempts': () => store.attemptWindow(large, { ...page, order: 'asc' }),
    'last page of attempts': () => store.attemptWindow(large, { ...page, order: 'desc' }),
    'last page of events': () => store.eventWindow(large, { ...page, limit: 2_000, order: 'desc' }),
    'facts of events': () => store.eventFacts(large),
    'throughput of workers': () => store.workerThroughput(large),
    'dead jobs': () => store.deadJobPage(DEFAULT_QUEUE, page),
  };
}

async function onPostgres(resources: AsyncDisposableStack): Promise<ServerStore> {
  const postgres = resources.use(await startPrivatePostgres());
  return await openPostgresStore({ databaseUrl: await postgres.createDatabase(), migrate: true });
}

async function onPglite(resources: AsyncDisposableStack): Promise<ServerStore> {
  const dataDir = await mkdtemp(join(tmpdir(), 'yeeter-perf-server-'));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  return await openPgliteStore({ dataDir });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      database: { type: 'string', default: 'pglite' },
      attempts: { type: 'string', default: '1000000' },
      runs: { type: 'string', default: '10000' },
      repetitions: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
    },
  });
  await using resources = new AsyncDisposableStack();
  const store = resources.use(await (values.database === 'postgres' ? onPostgres : onPglite)(resources));
  const { large, small } = await seedLedger(store, {
    attempts: Number(values.attempts),
    runs: Number(values.runs),
  });
  const answers: Record<string, number[]> = {};
  for (const [question, ask] of Object.entries(questions(store, large, small)))
    answers[question] = await timesMs(Number(values.repetitions), ask);
  answers['deleting the large run'] = await timesMs(1, () => store.deleteRuns([large]));
  if (values.json) process.stdout.write(`${JSON.stringify(answers)}\n`);
  else
    for (const [question, times] of Object.entries(answers))
      process.stdout.write(`${`${question}, ms`.padEnd(44)}${spread(times, 1)}\n`);
}

await main();
