import type { ScalingTarget } from '../autoscaler/port.ts';
import { DEFAULT_QUEUE } from '../domain/template.ts';
import { migratePostgres } from '../storage/postgres/migrate-postgres.ts';
import { startApiServer } from './api-server.ts';
import { type DatabasePatience, openDurableShape } from './durable-shape.ts';
import { ensureFirstAdmin } from './first-admin.ts';
import { isAtSinks, type LastingSinks } from './lasting-sinks.ts';
import { createQueueAdmin } from './queue-admin.ts';
import { requireSettings } from './require-settings.ts';
import { openScaling } from './scaling.ts';
import { seedExamples, seedingWithAdmin } from './seed-examples.ts';
import type { Served, ServeOptions } from './serve.ts';

export interface ServeApiOptions extends Omit<ServeOptions, 'dataDir' | 'workers'> {
  /** What scales the workers; absent where another process does. */
  target?: ScalingTarget;
  /** Receivers that live as long as its workers; absent where there are none. */
  sinks?: LastingSinks;
}

/** Clients wait for their answers: one that says what is wrong is better than none. */
const DATABASE_PATIENCE: DatabasePatience = { retryForMs: 3000, connectTimeoutMs: 3000 };

const NO_TARGET =
  'this process has no workers to scale: start more with "yeeter worker", or serve with "yeeter serve"';

/**
 * The server of the larger shapes; runs are played by runners and workers elsewhere. Several of them may stand behind
 * one address.
 */
export async function serveApi(options: ServeApiOptions): Promise<Served> {
  const { config, log, sinks = null } = options;
  // Several processes sign and check tokens, and all need the same secret.
  const { jwtSecret, databaseUrl } = requireSettings(config, ['databaseUrl', 'rabbitmqUrl', 'jwtSecret']);
  await migratePostgres(databaseUrl, log);
  await using parts = new AsyncDisposableStack();
  const shape = parts.use(await openDurableShape(config, 'yeeter api', log, DATABASE_PATIENCE));
  const { queue, live, clock } = shape;
  const store = seedingWithAdmin(shape.store, sinks, log);
  const hasAdmin = await ensureFirstAdmin(store, config);
  await seedExamples(store, sinks);
  const defaultQueue = config.orderQueue ?? DEFAULT_QUEUE;
  const queues = createQueueAdmin({ store, queue, clock, defaultQueue, actor: 'queue administration' });
  const scaling = parts.use(
    openScaling({ store, clock, queues, defaultQueue, log, target: options.target ?? NO_TARGET }),
  );
  const server = parts.use(
    await startApiServer({
      ...{ config, jwtSecret, store, live, queues, scaling, clock, log },
      ...{ host: options.host, port: options.port },
      brokerHealth: async () => void (await queue.exists(defaultQueue)),
      isBuiltInSink: (address) => sinks !== null && isAtSinks(sinks.ports, address),
    }),
  );
  const owned = parts.move();
  const close = (): Promise<void> => owned.disposeAsync();
  return {
    url: server.url,
    hasAdmin,
    about: [],
    failed: new Promise<never>(() => {}),
    close,
    [Symbol.asyncDispose]: close,
  };
}
