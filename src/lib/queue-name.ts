import { CONTROL_CHARACTERS } from './text-rules.ts';

const MAX_BYTES = 200;
/** `amq.` is the broker's own (AMQP 0-9-1, queue.declare); the endings are those of the queues beside each queue. */
const RESERVED = /^amq\.|\.dlq$|\.delay\.\d+$/;
/** What separates names in a list. */
const SEPARATORS = /,|^\s|\s$/;

export const QUEUE_NAME_RULE =
  `a queue's name: 1 to ${MAX_BYTES} bytes without commas, control characters and spaces at its ends, ` +
  'not beginning with "amq." and not ending in ".dlq" or ".delay." and a number';

/** Whether a broker lets us declare it, and the queues beside it, and it can stand in a list of names. */
export function isQueueName(name: string): boolean {
  const bytes = Buffer.byteLength(name);
  const isReserved = RESERVED.test(name) || SEPARATORS.test(name) || CONTROL_CHARACTERS.test(name);
  return bytes > 0 && bytes <= MAX_BYTES && !isReserved;
}
