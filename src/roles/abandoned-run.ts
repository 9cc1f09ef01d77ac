import { isOver } from '../domain/run-state.ts';
import { delay } from '../lib/lifecycle.ts';
import type { CoordinationPort } from '../storage/coordination-port.ts';

const POLL_MS = 200;

/**
 * Cancels a run whose bench is gone, and resolves once it is over. Its sinks went with the bench, so that whoever went
 * on with it would fail every patient, and nobody waits for its files.
 */
export async function cancelAbandonedRun(store: CoordinationPort, runId: number): Promise<void> {
  await store.requestCancel(runId);
  while (!isOver((await store.getRun(runId)).status)) await delay(POLL_MS);
}
