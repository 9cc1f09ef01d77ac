import type { Config } from '../config/config.ts';
import { DEFAULT_QUEUE } from '../domain/template.ts';
import type { QueueAdmin } from '../queue/admin-port.ts';
import { openDurableShape } from '../roles/durable-shape.ts';
import { createQueueAdmin } from '../roles/queue-admin.ts';
import type { DeadJob } from '../storage/coordination-port.ts';
import { workerCommand } from './unconsumed.ts';

/** From where queues are looked after: on the broker itself, or through a server. */
export interface QueueDesk extends AsyncDisposable {
  admin: QueueAdmin;
  /** Newest first. */
  deadJobs(queue: string, limit: number): Promise<readonly DeadJob[]>;
  /** What to do where nobody consumes a queue. */
  remedy(queue: string): string;
}

/** On RabbitMQ and PostgreSQL. @throws {YeeterError} CONFIG_INVALID, CONNECT_*, QUEUE_UNREACHABLE */
export async function openBrokerDesk(config: Config): Promise<QueueDesk> {
  const shape = await openDurableShape(
    config,
    'yeeter queues',
    (line) => void process.stderr.write(`${line}\n`),
  );
  return {
    admin: createQueueAdmin({
      ...shape,
      defaultQueue: config.orderQueue ?? DEFAULT_QUEUE,
      actor: 'yeeter queues',
    }),
    deadJobs: (queue, limit) => shape.store.deadJobs({ queue, limit }),
    remedy: (queue) => `start ${workerCommand([queue])}, and "yeeter runner", which ends runs, where none is`,
    [Symbol.asyncDispose]: () => shape.close(),
  };
}
