import type { Connection } from 'rabbitmq-client';
import type { Job } from '../../domain/job.ts';
import type { Clock } from '../../lib/clock.ts';
import { YeeterError } from '../../lib/errors.ts';
import type { MessageRates, QueueDepth, QueueMaintenance, QueuePort } from '../port.ts';
import { DEFAULT_MAX_LENGTH, DELAY_RUNGS_MS, deadLetterQueue, delayQueue } from '../topology.ts';
import { closeConnection, connectBroker, type OnNotice } from './broker-connection.ts';
import { createBrokerQueues } from './broker-queues.ts';
import { brokerName } from './broker-url.ts';
import { createRabbitConsumer, type RabbitConsumer } from './consumer.ts';
import { createMaintenance } from './maintenance.ts';
import { countUnacknowledged, type ManagementAddress, messageRates } from './management-api.ts';
import { jobMessage, MAX_BODY_BYTES } from './message.ts';
import { createMover } from './mover.ts';
import { createPublisher, type PublishOutcome } from './publisher.ts';
import { toldOnce } from './told-once.ts';

export interface RabbitQueueOptions {
  /** `amqp://USER:PASSWORD@HOST:PORT/VHOST`; `amqps` for TLS. */
  url: string;
  /** Jobs of another deployment are set aside. */
  deploymentId: string;
  clock: Clock;
  /**
   * Jobs that one queue holds; a publish past it is refused. The broker may let a few more in. It belongs to the
   * queue: all processes have to agree on it. @default 1000000
   */
  maxLength?: number;
  /** Base URL of the management API with credentials, for rates, and `unacknowledged` over all processes. @default null */
  managementUrl?: string | null;
  /**
   * Messages that the consumers of all processes hold, by queue: `unacknowledged` where there is no `managementUrl`.
   * @default those of this process
   */
  heldByAll?: () => Promise<Readonly<Record<string, number>>>;
  /** Publishes without a confirm at a time; more wait. @default 256 */
  maxInFlight?: number;
  /** A publish may wait so long for its confirm, a restart of the broker included, milliseconds. @default 30000 */
  publishPatienceMs?: number;
  /** For the first connection, milliseconds. @default 10000 */
  connectTimeoutMs?: number;
  /** Shown by the broker beside the connections. @default 'yeeter' */
  name?: string;
  onNotice?: OnNotice;
}

/**
 * A queue on RabbitMQ. It lives through restarts of the broker: publishes wait and are made again, consumers come
 * back. `depth().unacknowledged` counts the consumers of this process only, unless `managementUrl` or `heldByAll` is
 * given.
 */
export interface RabbitQueue extends QueuePort, QueueMaintenance {
  /** In the order of the names; null without `managementUrl`, and of a queue that is not there. */
  rates(queues: readonly string[]): Promise<(MessageRates | null)[]>;
}

/**
 * Publishing and consuming have a connection each: a broker short of memory or disk stops reading from publishers,
 * and acknowledgements, which free its memory, must get through.
 *
 * @throws {YeeterError} QUEUE_UNREACHABLE, LOGIN_REFUSED, TLS_FAILED
 */
export async function createRabbitQueue(options: RabbitQueueOptions): Promise<RabbitQueue> {
  const { url, deploymentId, clock, name = 'yeeter', onNotice = () => {} } = options;
  const timeoutMs = options.connectTimeoutMs ?? 10_000;
  const maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
  const ofConnection = toldOnce(onNotice);
  const connect = (what: string): Promise<Connection> =>
    connectBroker({ url, name: `${name} ${what}`, timeoutMs, onNotice: ofConnection() });
  const publishing = await connect('publisher');
  const consuming = await connect('consumer').catch(async (error) => {
    await closeConnection(publishing);
    throw error;
  });
  const { managementUrl } = options;
  const management: ManagementAddress | null = managementUrl
    ? { managementUrl, broker: brokerName(url) }
    : null;
  const publisher = createPublisher({
    connection: publishing,
    patienceMs: options.publishPatienceMs ?? 30_000,
    ...(options.maxInFlight === undefined ? {} : { maxInFlight: options.maxInFlight }),
  });
  const queues = createBrokerQueues(consuming, maxLength);
  const mover = createMover(publisher, queues, clock);
  const consumers = new Set<RabbitConsumer>();
  const deps = {
    connection: consuming,
    queues,
    mover,
    deploymentId,
    clock,
    notice: (kind: Parameters<OnNotice>[0]['kind'], queue: string, message: string) =>
      onNotice({ kind, queue, message }),
  };

  const publish = async (job: Job): Promise<void> => {
    const message = jobMessage(job.queue, job);
    if (message.body.length > MAX_BODY_BYTES) {
      const what = `job ${job.jobId} has ${message.body.length} bytes, a queue takes up to ${MAX_BODY_BYTES}`;
      throw new YeeterError('QUEUE_PUBLISH_FAILED', `${what}: carry fewer studies in one iteration`, {
        retryable: false,
      });
    }
    const outcome = await publisher.send(message);
    if (outcome !== 'confirmed') {
      throw new YeeterError('QUEUE_PUBLISH_FAILED', `queue "${job.queue}" ${reasonOf(outcome, maxLength)}`);
    }
  };

  const unacknowledgedHere = (queue: string): number => {
    let sum = 0;
    for (const consumer of consumers) if (consumer.queue === queue) sum += consumer.unacknowledged;
    return sum;
  };

  const heldOf = async (names: readonly string[]): Promise<number[]> => {
    if (management) return Promise.all(names.map((queue) => countUnacknowledged(management, queue)));
    const heldByAll = await options.heldByAll?.();
    return names.map((queue) => (heldByAll ? (heldByAll[queue] ?? 0) : unacknowledgedHere(queue)));
  };

  const depthOf = async (queue: string, unacknowledged: number): Promise<QueueDepth> => {
    const rungs = DELAY_RUNGS_MS.map((rungMs) => delayQueue(queue, rungMs));
    const [work, dead, ...delayed] = await queues.count([queue, deadLetterQueue(queue), ...rungs]);
    return {
      queue,
      ready: work?.ready ?? 0,
      unacknowledged,
      consumers: work?.consumers ?? 0,
      delayed: delayed.reduce((sum, rung) => sum + (rung?.ready ?? 0), 0),
      dead: dead?.ready ?? 0,
    };
  };

  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await Promise.all([...consumers].map((consumer) => consumer.close()));
    await publisher.close();
    await Promise.all([closeConnection(publishing), closeConnection(consuming)]);
  };
  const closeOnce = (): Promise<void> => {
    closing ??= close();
    return closing;
  };

  return {
    ...createMaintenance(deps),
    declare: async (names) => {
      for (const queue of names) await queues.declare(queue);
    },
    publish,
    consume: (queue, consumeOptions, handle) => {
      const consumer = createRabbitConsumer(deps, queue, consumeOptions, handle);
      consumers.add(consumer);
      const closeConsumer = async (): Promise<void> => {
        await consumer.close();
        consumers.delete(consumer);
      };
      return { close: closeConsumer, [Symbol.asyncDispose]: closeConsumer };
    },
    depth: async (names) => {
      const held = await heldOf(names);
      return Promise.all(names.map((queue, at) => depthOf(queue, held[at]!)));
    },
    rates: async (names) => (management ? messageRates(management, names) : names.map(() => null)),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

function reasonOf(outcome: Exclude<PublishOutcome, 'confirmed'>, maxLength: number): string {
  switch (outcome) {
    case 'full':
      return `is full (${maxLength} jobs): let its workers catch up or raise the limit`;
    case 'no_queue':
      return 'is not on the broker: declare it, and see who deleted it';
    case 'unreachable':
      return 'gave no confirm in time: see whether the broker is up, and has memory and disk left';
    case 'closed':
      return 'is closed in this process';
    default:
      return outcome satisfies never;
  }
}
