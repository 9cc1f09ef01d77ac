import { randomBytes } from 'node:crypto';
import type { Job } from '../../src/domain/job.ts';
import { systemClock } from '../../src/lib/clock.ts';
import {
  createRabbitQueue,
  type RabbitQueue,
  type RabbitQueueOptions,
} from '../../src/queue/rabbitmq/rabbit-queue.ts';
import type { PrivateRabbitmq } from './rabbitmq.ts';

/** A name that no other queue of a broker has. */
export function newQueueName(): string {
  return `q-${randomBytes(4).toString('hex')}`;
}

/** Our queue on `broker`, unless `options` say another. */
export function openRabbitQueue(
  broker: PrivateRabbitmq,
  options: Partial<RabbitQueueOptions> = {},
): Promise<RabbitQueue> {
  return createRabbitQueue({ url: broker.url, deploymentId: 'test', clock: systemClock, ...options });
}

/** Acknowledges jobs until `count` have come. */
export async function handled(queue: RabbitQueue, name: string, count: number): Promise<Job[]> {
  const jobs: Job[] = [];
  const enough = Promise.withResolvers<void>();
  await using _consumer = queue.consume(name, { prefetch: 8 }, async ({ job, ack }) => {
    jobs.push(job);
    await ack();
    if (jobs.length === count) enough.resolve();
  });
  await enough.promise;
  return jobs;
}
