import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLive } from '../../src/api/live/create-live.ts';
import { createSystemState } from '../../src/api/live/system-state.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { announceChanges } from '../../src/live/announce.ts';
import { createLocalLive, type LocalLive } from '../../src/live/local-live.ts';
import { openPgliteStore, type PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';

/** The live part of a server in the embedded shape, without the rest of it. Everybody is an administrator. */
export interface LiveLoad extends AsyncDisposable {
  opened: PgliteStore;
  /** The same, telling what changes. */
  store: ServerStore;
  live: LocalLive;
  url: string;
}

export async function openLiveLoad(): Promise<LiveLoad> {
  const dataDir = await mkdtemp(join(tmpdir(), 'yeeter-perf-live-'));
  const opened = await openPgliteStore({ dataDir });
  const live = createLocalLive();
  const store = announceChanges<ServerStore>(opened, live);
  const server = createServer();
  const log = (line: string): void => console.error(line);
  const authenticate = async (token: string) => ({ id: Number(token), isAdmin: true, expiresAtMs: null });
  const served = createLive({
    server,
    store,
    live,
    signIn: authenticate,
    authenticate,
    mayWatch: async () => true,
    systemState: createSystemState({ store, queues: { list: async () => [] }, clock: systemClock, log }),
    clock: systemClock,
    log,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    opened,
    store,
    live,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      await served.close();
      server.close();
      await live.close();
      await opened.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
