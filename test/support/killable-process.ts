/**
 * A worker or a runner that kills itself at a given point, since no signal from outside comes at so exact a moment.
 * Usage: node killable-process.ts JSON, a `KillableOptions`. Without a point it is like the real command.
 */
import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../src/config/config.ts';
import { openDurableShape } from '../../src/roles/durable-shape.ts';
import { startRunnerRole } from '../../src/roles/runner-role.ts';
import { startWorkerRole } from '../../src/roles/worker-role.ts';
import { type KillPoint, killer } from './kill-points.ts';

export interface KillableOptions {
  kind: 'worker' | 'runner';
  databaseUrl: string;
  queueUrl: string;
  queues: readonly string[];
  leaseMs: number;
  prefetch: number;
  concurrency: number;
  maxLength: number;
  point: KillPoint | null;
}

const options = JSON.parse(process.argv[2]!) as KillableOptions;
const { point } = options;
const log = (line: string): void => void process.stderr.write(`${line}\n`);
const config = loadConfig({
  DATABASE_URL: options.databaseUrl,
  RABBITMQ_URL: options.queueUrl,
  RABBITMQ_QUEUE_MAX_LENGTH: String(options.maxLength),
});
const shape = await openDurableShape(config, `test ${options.kind}`, log);
const killDelivery = killer('delivery', point);
const killQueue = killer('queue', point);
const killStore = killer('store', point);
const killed = {
  store: killStore(shape.store),
  queue: killQueue({
    ...shape.queue,
    consume: (queue, settings, handle) =>
      shape.queue.consume(queue, settings, (delivery) => handle(killDelivery(delivery))),
  } satisfies typeof shape.queue),
};
const common = {
  ...shape,
  ...killed,
  processId: `${options.kind}-${process.pid}-${randomUUID().slice(0, 8)}`,
  log,
};
const role =
  options.kind === 'runner'
    ? startRunnerRole({ ...common, leaseMs: options.leaseMs, studyDir: null })
    : await startWorkerRole({
        ...common,
        queues: options.queues,
        version: 'test',
        prefetch: options.prefetch,
        concurrency: options.concurrency,
        graceMs: 10_000,
      });
process.once('SIGTERM', () => {
  void role
    .close()
    .then(() => shape.close())
    .then(() => process.exit(0));
});
log('ready');
role.ended.catch((error: Error) => {
  log(error.message);
  process.exit(1);
});
