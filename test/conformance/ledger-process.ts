/*
 * A process that writes jobs to a ledger in PostgreSQL: `node ledger-process.ts URL RUN_ID FIRST COUNT`. Each job is
 * handed off, tried, ended and told of, in batches as a runner's and a worker's. It says how many are written, a line a
 * batch.
 */
import { createHash } from 'node:crypto';
import { openPostgresStore } from '../../src/storage/postgres/open-postgres-store.ts';
import { attemptRow, batchOf, eventRow, iterationRow } from './ledger-rows.ts';

const BATCH = 20;

const [databaseUrl, ...numbers] = process.argv.slice(2);
const [runId, first, count] = numbers.map(Number) as [number, number, number];

function jobIdOf(iteration: number): string {
  const hex = createHash('sha256').update(`${iteration}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');
}

await using store = await openPostgresStore({ databaseUrl: databaseUrl! });
for (let written = 0; written < count; written += BATCH) {
  const iterations = Array.from({ length: BATCH }, (_, i) => first + written + i);
  await store.writeLedger(
    batchOf({
      handedOff: iterations.map((iteration) => ({ runId, iteration })),
      attempts: iterations.map((n) => attemptRow(runId, { jobId: jobIdOf(n), patientIteration: n })),
      iterations: iterations.map((iteration) => iterationRow(runId, iteration)),
      events: iterations.map((iteration) => eventRow(runId, { iteration })),
    }),
  );
  process.stdout.write(`${written + BATCH}\n`);
}
