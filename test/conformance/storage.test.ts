import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { openPgliteStore, type PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import { createStoreClient } from '../../src/storage/pglite/store-client.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';
import { coordinationConforms } from './coordination-suite.ts';
import { endpointLimitsConform } from './endpoint-limits-suite.ts';
import { batchOf, iterationRow, newRun } from './ledger-rows.ts';
import { serverLedgerConforms } from './server-ledger-suite.ts';
import { serverConforms } from './server-suite.ts';
import { storageConforms } from './storage-suite.ts';

describe('a store in a data folder', () => {
  let dataDir: string;
  let store: PgliteStore;
  let other: ServerStore;
  const progress: string[] = [];

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'yeeter-storage-'));
    store = await openPgliteStore({ dataDir, onProgress: (line) => progress.push(line) });
    other = createStoreClient(store.connectPort());
  });
  after(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const reopen = async (): Promise<void> => {
    store = await openPgliteStore({ dataDir, onProgress: (line) => progress.push(line) });
  };

  storageConforms('PGlite', () => store);
  coordinationConforms('PGlite', () => ({ one: store, other }));
  endpointLimitsConform('PGlite', () => ({ one: store, other }));
  serverConforms('PGlite', () => ({ one: store, other }));
  serverLedgerConforms('PGlite', () => ({ one: store, other }));

  it('serves other threads directly', async () => {
    const { id } = await store.createRun(newRun());
    const client = new URL('../../src/storage/pglite/store-client.ts', import.meta.url).href;
    const rows = new URL('./ledger-rows.ts', import.meta.url).href;
    const source = `
      import { workerData } from 'node:worker_threads';
      import { createStoreClient } from '${client}';
      import { batchOf, iterationRow } from '${rows}';
      const store = createStoreClient(workerData.port);
      await store.writeLedger(batchOf({ iterations: [iterationRow(${id}, 1)] }));
      await store.getRun(${id} + 1000).catch((error) => { if (error.code !== 'RUN_NOT_FOUND') throw error; });
      await store.close();`;
    const port = store.connectPort();
    const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
      workerData: { port },
      transferList: [port],
    });
    const [exitCode] = await once(thread, 'exit');
    assert.equal(exitCode, 0);
    assert.equal(await store.countFinished(id), 1);
  });

  it('finishes what was asked before it closes, answers nothing then, and keeps all when opened again', async () => {
    const deployment = await store.deployment();
    const { id } = await store.createRun(newRun());
    const written = store.writeLedger(batchOf({ iterations: [iterationRow(id, 1)] }));
    await Promise.all([store.close(), store.close()]);
    await written;
    await assert.rejects(store.deployment(), { code: 'STORAGE_FAILED', message: /closed/ });
    await reopen();
    assert.deepEqual(await store.deployment(), deployment);
    assert.equal((await store.runTotals(id)).completed, 1);
    assert.equal(progress.length, 1, 'only the first time makes a new folder');
  });

  it('keeps a second process out, and a killed one leaves what was acknowledged', async () => {
    const { id } = await store.createRun(newRun());
    await store.close();
    const { child, lines } = await startHolder(dataDir, id);
    await assert.rejects(openPgliteStore({ dataDir }), {
      code: 'STORAGE_LOCKED',
      message: new RegExp(`${dataDir}.* process ${child.pid} .*another folder`),
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    const acknowledged = Number(lines.at(-1));
    assert.ok(acknowledged > 0);
    await reopen();
    const finished = await store.countFinished(id);
    assert.ok(finished >= acknowledged, `${finished} of ${acknowledged} acknowledged rows are there`);
    assert.equal(finished % 20, 0, 'a batch is there as a whole or not at all');
    assert.equal((await store.runTotals(id)).completed, finished);
  });
});

/** Resolves when it has written for a while. */
async function startHolder(
  dataDir: string,
  runId: number,
): Promise<{ child: ChildProcess; lines: string[] }> {
  const script = fileURLToPath(new URL('./ledger-holder.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir, String(runId)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(line));
  while (lines.length < 12) await once(output, 'line');
  return { child, lines };
}
