import { CONTROL_CHARACTERS } from './text-rules.ts';

const MAX_BYTES = 200;
/** `amq.` is the broker's own (AMQP 0-9-1, queue.declare); the endings are those of the queues beside each queue. */
const RESERVED = /^amq\.|\.dlq$|\.delay\.\d+$/;

export const QUEUE_NAME_RULE =
  `a queue's name: 1 to ${MAX_BYTES} bytes without control characters, ` +
  'not beginning with "amq." and not ending in ".dlq" or ".delay." and a number';

/** Whether a broker lets us declare it, and the queues beside it. */
export function isQueueName(name: string): boolean {
  const bytes = Buffer.byteLength(name);
  return bytes > 0 && bytes <= MAX_BYTES && !RESERVED.test(name) && !CONTROL_CHARACTERS.test(name);
}
