import type { AsyncMessage } from 'rabbitmq-client';
import type { Clock } from '../../lib/clock.ts';
import { deadLetterQueue, delayQueue, rungFor } from '../topology.ts';
import type { BrokerQueues } from './broker-queues.ts';
import { copyOf, deadLetterHeaders, HEADER, type Outgoing } from './message.ts';
import type { Publisher, PublishOutcome } from './publisher.ts';

/** Copies messages to where they go next. Whoever calls acknowledges the original once the copy is confirmed. */
export interface Mover {
  /** To a queue, or at least on its way there: a full one takes it over the shortest rung, which never is. */
  toQueue(message: Outgoing): Promise<PublishOutcome>;
  /** To `message.queue` at `dueMs`, milliseconds since the epoch. */
  later(message: Outgoing, dueMs: number): Promise<PublishOutcome>;
  toDeadLetters(message: Outgoing): Promise<PublishOutcome>;
  /** A message that is none of ours, as it stands. */
  setAside(message: AsyncMessage, queue: string, reason: string): Promise<PublishOutcome>;
}

export function createMover(publisher: Publisher, queues: BrokerQueues, clock: Clock): Mover {
  /** A queue that somebody deleted is made again, once. */
  const send = async (origin: string, message: Outgoing): Promise<PublishOutcome> => {
    const outcome = await publisher.send(message);
    if (outcome !== 'no_queue') return outcome;
    try {
      await queues.declare(origin);
    } catch {
      return 'no_queue';
    }
    return publisher.send(message);
  };

  const later = (message: Outgoing, dueMs: number): Promise<PublishOutcome> => {
    const rung = rungFor(dueMs - clock.epochUs() / 1000);
    return send(message.queue, {
      ...message,
      queue: delayQueue(message.queue, rung),
      headers: { ...message.headers, [HEADER.due]: Math.ceil(dueMs) },
    });
  };

  const toDeadLetters = (message: Outgoing): Promise<PublishOutcome> =>
    send(message.queue, { ...message, queue: deadLetterQueue(message.queue) });

  return {
    later,
    toDeadLetters,
    toQueue: async (message) => {
      const outcome = await send(message.queue, message);
      return outcome === 'full' ? later(message, clock.epochUs() / 1000) : outcome;
    },
    setAside: (message, queue, reason) => {
      const headers = deadLetterHeaders(queue, null, reason, clock.nowMs());
      return toDeadLetters(copyOf(message, queue, { ...headers, [HEADER.reason]: 'not_a_job' }));
    },
  };
}
