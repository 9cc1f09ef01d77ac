import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ScalingTarget } from '../autoscaler/port.ts';
import { DEFAULT_QUEUE } from '../domain/template.ts';
import { systemClock } from '../lib/clock.ts';
import { announceChanges } from '../live/announce.ts';
import { createLocalLive } from '../live/local-live.ts';
import { openPgliteStore } from '../storage/pglite/open-pglite-store.ts';
import type { ServerStore } from '../storage/server-port.ts';
import { startApiServer } from './api-server.ts';
import { type EngineHost, startEngineHost } from './engine-host.ts';
import { ensureFirstAdmin } from './first-admin.ts';
import { jwtSecretOf } from './jwt-secret.ts';
import { startLastingSinks } from './lasting-sinks.ts';
import { openScaling } from './scaling.ts';
import { seedExamples } from './seed-examples.ts';
import type { Served, ServeOptions } from './serve.ts';
import type { SinkPorts } from './sink-process.ts';

/** Everything in one process but the sinks: HTTP here, the runs and the ledger each on a thread of their own. */
export async function serveEmbedded(options: ServeOptions): Promise<Served> {
  const { config, log } = options;
  const dataDir = resolve(options.dataDir);
  await using parts = new AsyncDisposableStack();
  const pglite = parts.use(await openPgliteStore({ dataDir, onProgress: log }));
  const live = parts.use(createLocalLive());
  const { ports } = parts.use(await startLastingSinks(pglite, log));
  const store = seedWithAdmin(announceChanges(pglite, live), ports, log);
  const clock = systemClock;
  const hasAdmin = await ensureFirstAdmin(store, config);
  await seedExamples(store, ports);
  const { id: deploymentId } = await pglite.deployment();
  const defaultQueue = config.orderQueue ?? DEFAULT_QUEUE;
  const studyDir = join(dataDir, 'studies');
  await mkdir(studyDir, { recursive: true });
  const host = parts.use(
    await startEngineHost({
      ...{ store: pglite, live, deploymentId, defaultQueue, studyDir, log },
      workers: options.workers,
      concurrency: config.workerConcurrency,
      prefetch: config.workerPrefetch,
      graceMs: config.workerGraceMs,
      metricLog: config.metricLog,
    }),
  );
  const queues = host.methods;
  const scaling = parts.use(
    openScaling({ store, clock, queues, defaultQueue, log, target: inProcessTarget(host) }),
  );
  const server = parts.use(
    await startApiServer({
      ...{ config, store, live, queues, scaling, clock, log, host: options.host, port: options.port },
      jwtSecret: await jwtSecretOf(config, dataDir),
      brokerHealth: async () => void (await queues.replicas()),
      isBuiltInSink: ({ hostname, port }) =>
        hostname === '127.0.0.1' && (port === ports.mllpPort || port === ports.dicomPort),
    }),
  );
  const owned = parts.move();
  const close = (): Promise<void> => owned.disposeAsync();
  return {
    url: server.url,
    hasAdmin,
    about: [
      `data in ${dataDir}`,
      `built-in receivers: HL7 on 127.0.0.1:${ports.mllpPort}, DICOM on 127.0.0.1:${ports.dicomPort}`,
    ],
    failed: host.failed,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The workers of the engine's thread, which its owner closes. */
function inProcessTarget({ methods: { replicas, scale } }: EngineHost): ScalingTarget {
  const close = async (): Promise<void> => {};
  return { name: 'in-process', replicas, scale, close, [Symbol.asyncDispose]: close };
}

/** The examples belong to the first administrator, who may come later. */
function seedWithAdmin<Store extends ServerStore>(
  store: Store,
  ports: SinkPorts,
  log: (line: string) => void,
): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'createUser') return value;
      return async (...user: Parameters<ServerStore['createUser']>) => {
        const created = await target.createUser(...user);
        if (created.isAdmin) {
          await seedExamples(target, ports).catch((error: Error) =>
            log(`the examples could not be made: ${error.message}`),
          );
        }
        return created;
      };
    },
  });
}
