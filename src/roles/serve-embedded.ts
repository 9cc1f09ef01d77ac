import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ScalingTarget } from '../autoscaler/port.ts';
import { DEFAULT_QUEUE } from '../domain/template.ts';
import { systemClock } from '../lib/clock.ts';
import { announceChanges } from '../live/announce.ts';
import { createLocalLive } from '../live/local-live.ts';
import { openPgliteStore } from '../storage/pglite/open-pglite-store.ts';
import { startApiServer } from './api-server.ts';
import { type EngineHost, startEngineHost } from './engine-host.ts';
import { ensureFirstAdmin } from './first-admin.ts';
import { jwtSecretOf } from './jwt-secret.ts';
import { aboutSinks, isAtSinks, startLastingSinks } from './lasting-sinks.ts';
import { openScaling } from './scaling.ts';
import { seedExamples, seedingWithAdmin } from './seed-examples.ts';
import type { Served, ServeOptions } from './serve.ts';

/** Everything in one process but the sinks: HTTP here, the runs and the ledger each on a thread of their own. */
export async function serveEmbedded(options: ServeOptions): Promise<Served> {
  const { config, log } = options;
  const dataDir = resolve(options.dataDir);
  await using parts = new AsyncDisposableStack();
  const pglite = parts.use(await openPgliteStore({ dataDir, onProgress: log }));
  const live = parts.use(createLocalLive());
  const sinks = parts.use(await startLastingSinks(pglite, log));
  const { ports } = sinks;
  const store = seedingWithAdmin(announceChanges(pglite, live), sinks, log);
  const clock = systemClock;
  const hasAdmin = await ensureFirstAdmin(store, config);
  await seedExamples(store, sinks);
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
      isBuiltInSink: (address) => isAtSinks(ports, address),
    }),
  );
  const owned = parts.move();
  const close = (): Promise<void> => owned.disposeAsync();
  return {
    url: server.url,
    hasAdmin,
    about: [`data in ${dataDir}`, aboutSinks(ports)],
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
