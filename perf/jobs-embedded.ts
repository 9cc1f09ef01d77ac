/**
 * Jobs in the embedded shape: each patient's message is generated, its job published, consumed, executed and settled,
 * with the attempt's row and the terminal row in the ledger; nothing goes over a wire. Beside it, in turns, a bare
 * loop that only writes such rows to such a ledger from the same kind of thread.
 *
 *   node perf/jobs-embedded.ts [--jobs 50000] [--repetitions 5] [--json]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openPgliteStore } from '../src/storage/pglite/open-pglite-store.ts';
import type { StoragePort } from '../src/storage/port.ts';
import { attemptRow, batchOf, iterationRow, newRun } from '../test/conformance/ledger-rows.ts';
import { JOBS_TEMPLATE } from './support/jobs-template.ts';
import { openBenchFolder } from './support/run-bench.ts';
import { spread } from './support/spread.ts';

const BATCH = 1000;

/** Rows of `jobs` jobs and iterations, written in batches one after the other. @returns jobs a second */
async function bareRate(store: StoragePort, jobs: number): Promise<number> {
  const run = await store.createRun(newRun());
  const batches = Array.from({ length: jobs / BATCH }, (_, b) => {
    const numbers = Array.from({ length: BATCH }, (_, i) => b * BATCH + i + 1);
    return batchOf({
      attempts: numbers.map((n) => attemptRow(run.id, { patientIteration: n })),
      iterations: numbers.map((n) => iterationRow(run.id, n)),
    });
  });
  const startedMs = performance.now();
  for (const batch of batches) await store.writeLedger(batch);
  return (jobs * 1000) / (performance.now() - startedMs);
}

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '50000' },
    repetitions: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const jobs = Math.ceil(Number(values.jobs) / BATCH) * BATCH;
await using folder = await openBenchFolder();
const template = join(folder.path, 'jobs.yaml');
await writeFile(template, JOBS_TEMPLATE);
const bareFolder = await mkdtemp(join(tmpdir(), 'yeeter-perf-bare-'));
const store = await openPgliteStore({ dataDir: bareFolder });
const rates = { ours: [] as number[], bare: [] as number[], ratio: [] as number[] };
await folder.run([template, '--patients', '2000']);
for (let repetition = 0; repetition < Number(values.repetitions); repetition++) {
  const run = await folder.run([template, '--patients', String(jobs), '--concurrency', '64']);
  if (run.totals.jobs !== jobs) throw new Error(`${run.totals.jobs} of ${jobs} jobs were settled`);
  const ours = jobs / run.duration_seconds;
  const bare = await bareRate(store, jobs);
  rates.ours.push(ours);
  rates.bare.push(bare);
  rates.ratio.push(ours / bare);
}
await store.close();
await rm(bareFolder, { recursive: true, force: true });
const rows = [
  {
    'jobs/s': spread(rates.ours, 0),
    'bare rows, jobs/s': spread(rates.bare, 0),
    ratio: spread(rates.ratio, 2),
  },
];
if (values.json) console.log(JSON.stringify(rows, null, 2));
else console.table(rows);
