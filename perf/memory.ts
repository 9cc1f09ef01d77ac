/**
 * Memory against the number of patients: heap and external memory of the engine's thread at the end of a run of
 * `orders-only`, after a collection, and the peak of the whole process.
 *
 *   node perf/memory.ts [--patients 1000,10000,100000] [--json]
 */
import { parseArgs } from 'node:util';
import { openBenchFolder } from './support/run-bench.ts';

const { values } = parseArgs({
  options: {
    patients: { type: 'string', default: '1000,10000,100000' },
    json: { type: 'boolean', default: false },
  },
});

const MEGABYTE = 1e6;
await using folder = await openBenchFolder();
const rows: Record<string, number>[] = [];
let first: number | null = null;
for (const patients of values.patients.split(',')) {
  const run = await folder.run(['orders-only', '--patients', patients], { nodeArgs: ['--expose-gc'] });
  const { heap_used_bytes: heap, external_bytes: external } = run.engine_memory;
  first ??= heap + external;
  rows.push({
    patients: run.patient_count,
    'heap MB': heap / MEGABYTE,
    'external MB': external / MEGABYTE,
    'growth MB': (heap + external - first) / MEGABYTE,
    'peak RSS MB': run.generator_health.rss_max_bytes / MEGABYTE,
  });
}
const rounded = rows.map((row) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Math.round(value * 10) / 10])),
);
if (values.json) console.log(JSON.stringify(rounded, null, 2));
else console.table(rounded);
