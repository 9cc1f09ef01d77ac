/*
 * A process that holds a data folder and writes to it until it is killed: `node ledger-holder.ts DIR RUN_ID`.
 * It says `ready`, then the number of the last iteration that was acknowledged, a line each.
 */
import { openPgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import { batchOf, iterationRow } from './ledger-rows.ts';

const [dataDir, runId] = process.argv.slice(2);
const store = await openPgliteStore({ dataDir: dataDir! });
process.stdout.write('ready\n');
for (let n = 1; ; n += 20) {
  const iterations = Array.from({ length: 20 }, (_, i) => iterationRow(Number(runId), n + i));
  await store.writeLedger(batchOf({ iterations }));
  process.stdout.write(`${n + 19}\n`);
}
