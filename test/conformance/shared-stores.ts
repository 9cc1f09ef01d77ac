import type { CoordinationPort } from '../../src/storage/coordination-port.ts';
import { newRun } from './ledger-rows.ts';

/** Longer than any test. */
export const LEASE_MS = 60_000;

/** Stores whose ledger is one; they may be of different processes. */
export interface SharedStores {
  one: CoordinationPort;
  other: CoordinationPort;
}

/** Of the first of the stores. */
export function runsOf(stores: () => SharedStores) {
  const store = (): CoordinationPort => stores().one;
  return {
    store,
    newRunId: async (): Promise<number> => (await store().createRun(newRun())).id,
    /** Tests before left runs that would be claimed first. */
    endOthers: async (): Promise<void> => {
      const open = ['PENDING', 'RUNNING', 'WAITING_ON_WORKERS'] as const;
      for (const { id } of await store().listRuns({ statuses: open, limit: 1000 }))
        await store().transitionRun(id, 'over_failed');
    },
  };
}
