import { resolve } from 'node:path';
import type { Closeable } from '../lib/lifecycle.ts';
import { type EmbeddedInput, type EmbeddedRun, startEmbeddedRun } from '../roles/embedded.ts';
import { openPgliteStore } from '../storage/pglite/open-pglite-store.ts';
import type { RunRecord, StoragePort } from '../storage/port.ts';

/** Endpoints and limits are those of this start: sinks of an interrupted run are gone. */
export type BenchStart = Pick<EmbeddedInput, 'endpoints' | 'limits' | 'resumed'> & { studyDir: string };

/** Where a bench keeps its ledger and how it carries its run. */
export interface BenchShape extends Closeable {
  store: StoragePort;
  /** False where a runner of its own goes on with interrupted runs. */
  resumable: boolean;
  start(run: RunRecord, options: BenchStart): EmbeddedRun;
}

/** Everything in this process, with a data folder. */
export async function openEmbeddedShape(
  dataDir: string,
  onProgress: (line: string) => void,
): Promise<BenchShape> {
  const store = await openPgliteStore({ dataDir: resolve(dataDir), onProgress });
  const { id: deploymentId } = await store.deployment();
  return {
    store,
    resumable: true,
    start: (run, options) => startEmbeddedRun(store, { runId: run.id, deploymentId, ...options }),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}
