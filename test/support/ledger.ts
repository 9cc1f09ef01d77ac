import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import { openPgliteStore, type PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';

/** An embedded ledger in a folder of its own, which goes with it. */
export interface TestLedger extends Closeable {
  store: PgliteStore;
}

export async function openTestLedger(): Promise<TestLedger> {
  const dataDir = await mkdtemp(join(tmpdir(), 'yeeter-test-'));
  const store = await openPgliteStore({ dataDir });
  const close = async (): Promise<void> => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { store, close, [Symbol.asyncDispose]: close };
}
