import type { Config } from '../config/config.ts';
import { systemClock } from '../lib/clock.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { hasStarter } from '../lib/starter.ts';
import { announceChanges, announceJobs } from '../live/announce.ts';
import type { LivePort } from '../live/port.ts';
import { createPostgresLive } from '../live/postgres-live.ts';
import { createRabbitQueue, type RabbitQueue } from '../queue/rabbitmq/rabbit-queue.ts';
import { openPostgresStore, type PostgresStoreOptions } from '../storage/postgres/open-postgres-store.ts';
import type { ServerStore } from '../storage/server-port.ts';
import { createLedgerClock, type LedgerClock } from './ledger-clock.ts';
import { requireSettings } from './require-settings.ts';

/** RabbitMQ and PostgreSQL, as any process of the larger shapes uses them. */
export interface DurableShape extends Closeable {
  /** What is changed through the two is told to all processes. */
  store: ServerStore;
  queue: RabbitQueue;
  live: LivePort;
  deploymentId: string;
  clock: LedgerClock;
}

/** How long it is waited for a database that went away. */
export type DatabasePatience = Pick<PostgresStoreOptions, 'retryForMs' | 'connectTimeoutMs'>;

/**
 * Opens both.
 * @param name shown by the broker beside our connections, and before each line, since several may write to one terminal
 * @param patience @default that of a process which rides through a restart of the database
 * @throws {YeeterError} CONFIG_INVALID, CONNECT_*, LOGIN_REFUSED, SCHEMA_OUTDATED, QUEUE_UNREACHABLE
 */
export async function openDurableShape(
  config: Config,
  name: string,
  log: (line: string) => void,
  patience: DatabasePatience = {},
): Promise<DurableShape> {
  const { databaseUrl, rabbitmqUrl: url } = requireSettings(config, ['databaseUrl', 'rabbitmqUrl']);
  const say = (line: string): void => log(`${name} ${process.pid}: ${line}`);
  // Whoever started this process has warned already.
  const ledger = await openPostgresStore({
    databaseUrl,
    ...patience,
    ...(hasStarter() ? {} : { warn: say }),
  });
  const live = createPostgresLive({ databaseUrl, log: say });
  const store = announceChanges(ledger, live);
  const closeStore = async (): Promise<void> => {
    await live.close();
    await ledger.close();
  };
  try {
    const clock = createLedgerClock(systemClock);
    const { id: deploymentId } = await store.deployment();
    const broker = await createRabbitQueue({
      url,
      deploymentId,
      clock,
      maxLength: config.queueMaxLength,
      managementUrl: config.rabbitmqManagementUrl,
      heldByAll: () => ledger.heldJobs(),
      name,
      onNotice: ({ kind, message }) => say(`${kind}: ${message}`),
    });
    const queue = announceJobs(broker, live);
    const close = async (): Promise<void> => {
      await queue.close();
      await closeStore();
    };
    return { store, queue, live, deploymentId, clock, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await closeStore();
    throw error;
  }
}
