/**
 * What the order of job ids costs a shared ledger: the processor time of the database's process that writes attempts and
 * the jobs that they settle, in batches, by one writer. Ids that ascend with a run's patients (the product's) beside
 * random ones, in turns.
 *
 *   node perf/job-ids.ts [--jobs 400000] [--batch 100] [--repetitions 3] [--json]
 *
 * A private server without fsync, a database for each measurement. Needs /proc.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { jobIdOf } from '../src/domain/job-id.ts';
import { encodeLedger } from '../src/storage/ledger-tables.ts';
import type { LedgerBatch } from '../src/storage/port.ts';
import { migratePostgres } from '../src/storage/postgres/migrate-postgres.ts';
import { openPg } from '../src/storage/postgres/pg-executor.ts';
import { writeLedger } from '../src/storage/write-ledger.ts';
import { attemptRow, batchOf } from '../test/conformance/ledger-rows.ts';
import { startPrivatePostgres } from '../test/support/postgres.ts';
import { processCpuUs } from './support/process-cpu.ts';
import { spread } from './support/spread.ts';

const RUN_ID = 1;
interface Way {
  ids: 'ascending' | 'random';
  /** Microseconds of the database's processor time a job, one entry a repetition. */
  settledUs: number[];
}

async function measure(databaseUrl: string, way: Way, jobs: number, batch: number): Promise<void> {
  await migratePostgres(databaseUrl);
  await using executor = openPg(databaseUrl, { poolSize: 1, retryForMs: 0 });
  const [[pid]] = (await executor.query('select pg_backend_pid()')) as [[number]];
  const idOf = (iteration: number): string =>
    way.ids === 'random'
      ? randomUUID()
      : jobIdOf({ deploymentId: 'measured', runId: RUN_ID, iteration, segment: 1 });
  const ids = Array.from({ length: jobs }, (_, n) => idOf(n + 1));
  const line = { id: randomUUID(), slot: 0, batches: 0 };
  const write = async (rows: (jobIds: string[], first: number) => LedgerBatch): Promise<number> => {
    const before = await processCpuUs(pid);
    for (let at = 0; at < jobs; at += batch)
      await writeLedger(executor, encodeLedger(rows(ids.slice(at, at + batch), at + 1), false), line);
    return ((await processCpuUs(pid)) - before) / jobs;
  };
  way.settledUs.push(
    await write((jobIds, first) =>
      batchOf({
        attempts: jobIds.map((jobId, n) => attemptRow(RUN_ID, { jobId, patientIteration: first + n })),
      }),
    ),
  );
}

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '400000' },
    batch: { type: 'string', default: '100' },
    repetitions: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const ways: Way[] = (['random', 'ascending'] as const).map((ids) => ({ ids, settledUs: [] }));
await using postgres = await startPrivatePostgres([]);
for (let repetition = 0; repetition < Number(values.repetitions); repetition++) {
  for (const way of ways)
    await measure(await postgres.createDatabase(), way, Number(values.jobs), Number(values.batch));
}
if (values.json) console.log(JSON.stringify(ways));
else
  console.table(ways.map(({ ids, settledUs }) => ({ ids, 'tried and settled, us': spread(settledUs, 1) })));
