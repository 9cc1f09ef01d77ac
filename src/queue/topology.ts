/**
 * The queues on the broker and their arguments (RabbitMQ 3.10 and 4.x). All are durable quorum queues: a classic
 * retry queue loses confirmed messages when the broker is killed, a quorum queue with at-least-once dead-lettering
 * does not. Arguments never change after a queue is made: the broker refuses a declaration that differs.
 */
export interface QueueDeclaration {
  queue: string;
  durable: true;
  arguments: Record<string, string | number>;
}

/** Jobs that one queue holds. */
export const DEFAULT_MAX_LENGTH = 1_000_000;

/** Times the broker hands a message out again before it sets it aside by itself, without our headers. */
const BROKER_DELIVERY_LIMIT = 20;
/** Looking for one dead letter takes the others in hand as well, which counts for each. */
const DEAD_LETTER_DELIVERY_LIMIT = 1_000_000;

const SHORTEST_RUNG_MS = 100;
/** 100 ms to 205 s; a longer delay passes the last more than once. */
const RUNGS = 12;

export const DELAY_RUNGS_MS: readonly number[] = Array.from(
  { length: RUNGS },
  (_, n) => SHORTEST_RUNG_MS * 2 ** n,
);

export function deadLetterQueue(queue: string): string {
  return `${queue}.dlq`;
}

export function delayQueue(queue: string, rungMs: number): string {
  return `${queue}.delay.${rungMs}`;
}

export function workDeclaration(queue: string, maxLength: number): QueueDeclaration {
  return quorum(queue, {
    'x-delivery-limit': BROKER_DELIVERY_LIMIT,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': deadLetterQueue(queue),
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
    'x-max-length': maxLength,
  });
}

/** Without consumers: what expires goes back to its queue, and stays here while that is full. */
export function delayDeclaration(queue: string, rungMs: number): QueueDeclaration {
  return quorum(delayQueue(queue, rungMs), {
    'x-message-ttl': rungMs,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': queue,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  });
}

export function deadLetterDeclaration(queue: string): QueueDeclaration {
  return quorum(deadLetterQueue(queue), { 'x-delivery-limit': DEAD_LETTER_DELIVERY_LIMIT });
}

function quorum(queue: string, own: Record<string, string | number>): QueueDeclaration {
  return { queue, durable: true, arguments: { 'x-queue-type': 'quorum', ...own } };
}

/**
 * The rung on which a message waits that is due in `remainingMs`: the longest that is not too long, so that it comes
 * back early and climbs to the next for the rest. A rest below the shortest rung takes that one whole.
 */
export function rungFor(remainingMs: number): number {
  let chosen = SHORTEST_RUNG_MS;
  for (const rung of DELAY_RUNGS_MS) if (rung <= remainingMs) chosen = rung;
  return chosen;
}
