import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { announceChanges } from '../../src/live/announce.ts';
import { createLocalLive, type LocalLive } from '../../src/live/local-live.ts';
import { openPgliteStore, type PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import type { EventRow, RunRecord } from '../../src/storage/port.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';
import { batchOf, eventRow, newRun } from '../conformance/ledger-rows.ts';
import { type LiveServer, startLiveServer } from './live-server.ts';
import { templateFrom } from './run.ts';

/** User whose the runs are. */
export const OWNER = 7;
const TEMPLATE = `
name: live
steps:
  - {step_type: WAIT, parameters: {duration_seconds: 0}}
  - step_type: WAIT
    execution: async
    queue: orders
    retry: {max_attempts: 4}
    parameters: {duration_seconds: 0}
`;

export interface LiveRuns {
  /** Tells nobody of what is changed. */
  readonly opened: PgliteStore;
  /** Tells of it. */
  readonly store: ServerStore;
  readonly live: LocalLive;
  readonly server: LiveServer;
  createRun(userId?: number): Promise<RunRecord>;
  writeEvents(runId: number, count: number, change?: Partial<EventRow>): Promise<void>;
}

/** A server of live events over a store of its own, for the tests of the suite that calls this. */
export function useLive(): LiveRuns {
  let dataDir: string;
  let opened: PgliteStore;
  let live: LocalLive;
  let store: ServerStore;
  let server: LiveServer;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'yeeter-live-'));
    opened = await openPgliteStore({ dataDir });
    live = createLocalLive();
    store = announceChanges<ServerStore>(opened, live);
    server = await startLiveServer({ store, live });
  });
  after(async () => {
    await server.close();
    await live.close();
    await opened.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    get opened() {
      return opened;
    },
    get store() {
      return store;
    },
    get live() {
      return live;
    },
    get server() {
      return server;
    },
    createRun: (userId = OWNER) => store.createRun(newRun({ userId, template: templateFrom(TEMPLATE) })),
    writeEvents: async (runId, count, change = {}) => {
      const events = Array.from({ length: count }, (_, n) =>
        eventRow(runId, { details: `line ${n}`, ...change }),
      );
      await store.writeLedger(batchOf({ events }));
    },
  };
}
