import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApi, DEFAULT_SETTINGS } from '../../src/api/app.ts';
import { createLive } from '../../src/api/live/create-live.ts';
import { createSystemState } from '../../src/api/live/system-state.ts';
import { DEFAULT_QUEUE } from '../../src/domain/template.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import { announceChanges } from '../../src/live/announce.ts';
import { createLocalLive } from '../../src/live/local-live.ts';
import { startEngineHost } from '../../src/roles/engine-host.ts';
import { openPgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';
import { stubScaling } from './stub-scaling.ts';

/** A listening server that plays its runs: REST, live events and the engine, over a ledger of its own. */
export interface WholeServer extends Closeable {
  readonly url: string;
  readonly lines: string[];
}

export async function startWholeServer(): Promise<WholeServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'yeeter-server-'));
  const opened = await openPgliteStore({ dataDir });
  const live = createLocalLive();
  const store = announceChanges<ServerStore>(opened, live);
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const { id: deploymentId } = await store.deployment();
  const host = await startEngineHost({
    ...{ store: opened, live, deploymentId, defaultQueue: DEFAULT_QUEUE, workers: 1, concurrency: 4 },
    ...{ prefetch: 32, graceMs: 1000, studyDir: null, metricLog: false, log },
  });
  const queues = host.methods;
  const api = await createApi({
    ...{ store, live, queues, scaling: stubScaling(systemClock), clock: systemClock, log },
    settings: { ...DEFAULT_SETTINGS, jwtSecret: 'a secret of tests, which is long enough', passwordCost: 8 },
    brokerHealth: async () => {},
    isBuiltInSink: () => true,
  });
  const { app, authenticate, mayWatch } = api;
  const sockets = createLive({
    ...{ server: app.server, store, live, authenticate, mayWatch, clock: systemClock, log },
    systemState: createSystemState({ store, queues, clock: systemClock, log }),
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const close = async (): Promise<void> => {
    await sockets.close();
    await api.close();
    await host.close();
    await live.close();
    await opened.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { url, lines, close, [Symbol.asyncDispose]: close };
}
