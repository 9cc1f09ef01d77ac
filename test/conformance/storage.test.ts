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
import { openPglite } from '../../src/storage/pglite/pglite-executor.ts';
import { createStoreClient } from '../../src/storage/pglite/store-client.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';
import { EXTREMES, sumsOf } from '../support/row-sums.ts';
import { coordinationConforms } from './coordination-suite.ts';
import { deadJobsConform } from './dead-jobs-suite.ts';
import { endpointLimitsConform } from './endpoint-limits-suite.ts';
import { attemptRow, batchOf, iterationRow, newRun } from './ledger-rows.ts';
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
  deadJobsConform('PGlite', () => ({ one: store, other }));
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

  it('keeps sums that are those of its rows', async () => {
    const { id } = await store.createRun(newRun());
    const dicom = {
      ...iterationRow(id, 1).dicom,
      attemptedInstances: 3,
      successInstances: 3,
      attemptedBytes: 7e12,
    };
    const sends = { sendCount: 1, throughputCount: 1, throughputSumMbps: 0.5 };
    const send = (us: number, mbps: number) => ({
      ...{ ...dicom, ...sends, sendSumUs: us, sendMinUs: us, sendMaxUs: us },
      ...{ throughputMinMbps: mbps, throughputMaxMbps: mbps },
    });
    const lanes = [`${2n ** 63n - 1n}`, `${-(2n ** 63n)}`, '7', '-1'] as const;
    const studyInstanceUids = ['1.2', '1.3'];
    await store.writeLedger(
      batchOf({
        attempts: [
          attemptRow(id, { durationUs: 100.4 }),
          attemptRow(id, { durationUs: 99.6, outcome: 'retried' }),
          attemptRow(id, { durationUs: 250, outcome: 'dead' }),
          attemptRow(id, { durationUs: 10, outcome: 'cancelled' }),
        ],
        iterations: [
          iterationRow(id, 1, { sutUs: 0.6, ownUs: 2, studyInstanceUids, dicom: send(5, 0.25) }),
          iterationRow(id, 2, { studyInstanceUids, digestLanes: [...lanes], dicom: send(3, 8.5) }),
          iterationRow(id, 3, { outcome: 'failed', studyInstanceUids, digestLanes: [...lanes] }),
          iterationRow(id, 4, { outcome: 'cancelled' }),
        ],
      }),
    );
    const runs = await store.listRuns({ limit: 1000 });
    const requeued = new Set<number>();
    for (const run of runs) if ((await store.runTotals(run.id)).requeued > 0) requeued.add(run.id);
    await store.close();
    {
      await using executor = await openPglite(join(dataDir, 'pgdata'), dataDir);
      for (const run of runs) {
        const { kept, added } = await sumsOf(executor, run.id);
        // What a reopened job's last end was the least or the greatest of is not known any more.
        const extremes = requeued.has(run.id)
          ? Object.fromEntries(EXTREMES.map((name) => [name, added[name]]))
          : {};
        assert.deepEqual({ ...kept, ...extremes }, added, `run ${run.id}`);
      }
      const { kept } = await sumsOf(executor, id);
      assert.deepEqual(
        [kept.jobs, kept.attempts, kept.attempt_duration_sum_us, kept.sut_us],
        [3, 4, 460, 4501],
      );
      assert.equal(kept.studies_stored, 4);
    }
    await reopen();
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
