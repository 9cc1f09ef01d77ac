import type { AsyncMessage, Channel, Connection } from 'rabbitmq-client';
import type { Job } from '../../domain/job.ts';
import type { Clock } from '../../lib/clock.ts';
import { YeeterError } from '../../lib/errors.ts';
import { delay } from '../../lib/lifecycle.ts';
import type { ConsumeOptions, Consumer, Delivery } from '../port.ts';
import { type AckBatch, createAckBatch } from './ack-batch.ts';
import { acksApplied } from './acks-applied.ts';
import { acquireChannel, inReasonableTime, type QueueNotice } from './broker-connection.ts';
import type { BrokerQueues } from './broker-queues.ts';
import {
  copyOf,
  deadLetterHeaders,
  deliveryCountOf,
  HEADER,
  type Headers,
  jobMessage,
  numberHeader,
  readMessage,
} from './message.ts';
import type { Mover } from './mover.ts';
import type { PublishOutcome } from './publisher.ts';

export interface ConsumerDeps {
  connection: Connection;
  queues: BrokerQueues;
  mover: Mover;
  deploymentId: string;
  clock: Clock;
  notice(kind: QueueNotice['kind'], queue: string, message: string): void;
}

export interface RabbitConsumer extends Consumer {
  readonly queue: string;
  readonly unacknowledged: number;
}

/** One channel's life as a subscription. Delivery tags mean nothing outside it. */
interface Session {
  channel: Channel;
  acks: AckBatch;
  consumerTag: string | null;
  lost: Promise<void>;
}

const RESUBSCRIBE_MIN_MS = 100;
const RESUBSCRIBE_MAX_MS = 5000;
/** A message of a later version is looked at again after this, milliseconds. */
const NEWER_VERSION_DELAY_MS = 5000;
/** A message that comes back so little early is held here: a rung would make it later than that. */
const EARLY_SLACK_MS = 20;
/** Of the only consumer of its channel; every delivery carries it, and the broker would choose a long one. */
const CONSUMER_TAG = 'yeeter';
const DONE: Promise<void> = Promise.resolve();

/**
 * Consumes one queue on a channel of its own, which is made again whenever it is lost. The client's own Consumer
 * does that too, but cannot acknowledge many deliveries with one frame.
 */
export function createRabbitConsumer(
  deps: ConsumerDeps,
  queue: string,
  { prefetch }: ConsumeOptions,
  handle: (delivery: Delivery) => Promise<void>,
): RabbitConsumer {
  const { connection, mover, clock, notice } = deps;
  const stop = new AbortController();
  let session: Session | null = null;
  let running = 0;
  const idle: (() => void)[] = [];

  const subscribe = async (): Promise<void> => {
    let pauseMs = RESUBSCRIBE_MIN_MS;
    while (!stop.signal.aborted) {
      try {
        // What is running belongs to a lost channel: its jobs are on the queue again, and are not run twice at once.
        await whenIdle();
        const opened = await openSession();
        pauseMs = RESUBSCRIBE_MIN_MS;
        await opened.lost;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (!stop.signal.aborted) notice('consumer_lost', queue, `queue "${queue}": ${why}`);
        if ((error as { code?: string }).code === 'NOT_FOUND')
          await deps.queues.declare(queue).catch(() => {});
      }
      await delay(pauseMs, stop.signal);
      pauseMs = Math.min(pauseMs * 2, RESUBSCRIBE_MAX_MS);
    }
  };

  const openSession = async (): Promise<Session> => {
    const channel = await acquireChannel(connection);
    const lost = new Promise<void>((resolve) => channel.once('close', resolve));
    channel.on('error', (error) => notice('consumer_lost', queue, `queue "${queue}": ${error.message}`));
    // The queue was deleted: what is in hand can no longer be acknowledged.
    channel.once('basic.cancel', () => void channel.close());
    const opened: Session = { channel, acks: createAckBatch(channel), consumerTag: null, lost };
    session = opened;
    if (!stop.signal.aborted) {
      await channel.basicQos({ prefetchCount: prefetch });
      const started = await channel.basicConsume({ queue, consumerTag: CONSUMER_TAG }, (message) =>
        receive(opened, message),
      );
      opened.consumerTag = started.consumerTag;
    }
    if (stop.signal.aborted) await channel.close();
    return opened;
  };

  const whenIdle = (): Promise<void> =>
    running === 0 ? DONE : new Promise<void>((resolve) => idle.push(resolve));

  const receive = (from: Session, message: AsyncMessage): void => {
    if (!from.channel.active) return;
    from.acks.delivered(message.deliveryTag);
    if (stop.signal.aborted) {
      from.acks.giveBack(message.deliveryTag);
      return;
    }
    running++;
    void dispatch(from, message).finally(() => {
      running--;
      if (running === 0) for (const resolve of idle.splice(0)) resolve();
    });
  };

  const dispatch = (from: Session, message: AsyncMessage): Promise<void> => {
    const dueMs = numberHeader(message, HEADER.due);
    const earlyMs = dueMs - clock.epochUs() / 1000;
    if (earlyMs > EARLY_SLACK_MS) {
      return replace(from, message, () => mover.later(copyOf(message, queue, {}), dueMs));
    }
    const reading = readMessage(message, deps.deploymentId);
    switch (reading.kind) {
      case 'job':
        return earlyMs > 0
          ? delay(Math.ceil(earlyMs)).then(() => deliver(from, message, reading.job))
          : deliver(from, message, reading.job);
      case 'newer':
        notice('newer_version', queue, `queue "${queue}": ${reading.reason}`);
        return replace(from, message, () =>
          mover.later(copyOf(message, queue, {}), clock.epochUs() / 1000 + NEWER_VERSION_DELAY_MS),
        );
      case 'foreign':
        return setAside(from, message, reading.reason);
      default:
        return reading satisfies never;
    }
  };

  const setAside = (from: Session, message: AsyncMessage, reason: string): Promise<void> => {
    notice('set_aside', queue, `queue "${queue}": ${reason}`);
    return replace(from, message, () => mover.setAside(message, queue, reason));
  };

  /** The promise of the whole: nothing is acknowledged before what takes its place is confirmed. */
  const replace = async (
    from: Session,
    message: AsyncMessage,
    move: () => Promise<PublishOutcome>,
  ): Promise<void> => {
    // The broker has it on its queue again: a copy would make it two.
    if (!from.channel.active) return;
    const outcome = await move();
    if (outcome === 'confirmed') {
      from.acks.ack(message.deliveryTag);
      return;
    }
    notice('handed_back', queue, `queue "${queue}": message ${message.messageId} stays there: ${outcome}`);
    from.acks.giveBack(message.deliveryTag);
  };

  const deliver = async (from: Session, message: AsyncMessage, job: Job): Promise<void> => {
    const deliveryCount = deliveryCountOf(message);
    const requeues = numberHeader(message, HEADER.requeues);
    const carried: Headers = requeues > 0 ? { [HEADER.requeues]: requeues } : {};
    let ended = false;
    const end = (how: () => Promise<void>): Promise<void> => {
      if (ended) return Promise.reject(new YeeterError('INTERNAL', `job ${job.jobId} was ended twice`));
      ended = true;
      return how();
    };
    const replaceBy = (next: Job, delayMs: number): Promise<void> =>
      replace(from, message, () => {
        const copy = jobMessage(queue, next, carried);
        return delayMs > 0 ? mover.later(copy, clock.epochUs() / 1000 + delayMs) : mover.toQueue(copy);
      });
    const giveBack = (): Promise<void> => {
      from.acks.giveBack(message.deliveryTag);
      return DONE;
    };
    const delivery: Delivery = {
      job,
      deliveryCount,
      requeues,
      ack: () =>
        end(() => {
          from.acks.ack(message.deliveryTag);
          return DONE;
        }),
      retry: (next, delayMs) => end(() => replaceBy(next, delayMs)),
      postpone: (next, delayMs) => end(() => replaceBy(next, delayMs)),
      deadLetter: (dead, reason) =>
        end(() => {
          const headers = deadLetterHeaders(queue, dead, reason, clock.nowMs());
          return replace(from, message, () =>
            mover.toDeadLetters(jobMessage(queue, dead, { ...carried, ...headers })),
          );
        }),
      setAside: (reason) => end(() => setAside(from, message, reason)),
      release: () => end(giveBack),
    };
    try {
      await handle(delivery);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      notice('handler_failed', queue, `queue "${queue}": job ${job.jobId}: ${why}`);
      // A fault that strikes at once would go round as fast as the broker can.
      if (!ended) await delay(Math.min(100 * 2 ** deliveryCount, RESUBSCRIBE_MAX_MS), stop.signal);
    }
    if (!ended) await end(giveBack);
  };

  void subscribe();
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    stop.abort();
    const last = session;
    let answers = true;
    if (last?.channel.active && last.consumerTag !== null) {
      answers = await inReasonableTime(last.channel.basicCancel(last.consumerTag));
    }
    await whenIdle();
    if (!last) return;
    last.acks.flush();
    if (answers) await inReasonableTime(leave(last.channel));
  };

  const leave = async (channel: Channel): Promise<void> => {
    if (channel.active) await acksApplied(channel, queue);
    await channel.close();
  };
  const closeOnce = (): Promise<void> => {
    closing ??= close();
    return closing;
  };
  return {
    queue,
    get unacknowledged() {
      return session?.channel.active ? session.acks.outstanding : 0;
    },
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}
