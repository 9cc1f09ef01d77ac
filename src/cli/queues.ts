import { createInterface } from 'node:readline/promises';
import { YeeterError } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import { plural } from '../lib/plural.ts';
import type { QueueDepth } from '../queue/port.ts';
import type { QueueMode } from '../storage/coordination-port.ts';
import { formatCount, formatRate, formatTable } from './format.ts';
import type { QueueDesk } from './queue-desk.ts';
import { type OutputFormat, printListing, say } from './remote/output.ts';
import { printable } from './remote/printable.ts';

export { inspectQueue } from './inspect-queue.ts';
export { requeueDead } from './requeue-dead.ts';

const RATE_INTERVAL_MS = 1000;

const waiting = (depth: QueueDepth): number => depth.ready + depth.delayed + depth.unacknowledged;

const LIST_COLUMNS = [
  ...['queue', 'ready', 'delayed', 'unacknowledged', 'consumers'],
  ...['change_per_second', 'published_per_second', 'acknowledged_per_second', 'dead', 'mode'],
];

export async function listQueues({ admin }: QueueDesk, { format }: { format: OutputFormat }): Promise<void> {
  const before = new Map((await admin.list()).map((status) => [status.queue, waiting(status)]));
  await delay(RATE_INTERVAL_MS);
  const rows = (await admin.list()).map((status) => ({
    queue: status.queue,
    ready: status.ready,
    delayed: status.delayed,
    unacknowledged: status.unacknowledged,
    consumers: status.consumers,
    change_per_second: ((waiting(status) - (before.get(status.queue) ?? 0)) * 1000) / RATE_INTERVAL_MS,
    published_per_second: status.publishedPerSecond,
    acknowledged_per_second: status.acknowledgedPerSecond,
    dead: status.dead,
    mode: status.mode,
  }));
  if (format !== 'table') {
    return printListing({ raw: rows, rows, columns: LIST_COLUMNS, empty: '' }, format);
  }
  const header = [
    ...['queue', 'ready', 'delayed', 'unacked', 'consumers'],
    ...['change/s', 'published/s', 'acked/s', 'dead', 'mode'],
  ];
  const cells = rows.map((row) => [
    printable(row.queue),
    formatCount(row.ready),
    formatCount(row.delayed),
    formatCount(row.unacknowledged),
    formatCount(row.consumers),
    `${row.change_per_second < 0 ? '-' : '+'}${formatRate(Math.abs(row.change_per_second))}`,
    formatRate(row.published_per_second),
    formatRate(row.acknowledged_per_second),
    formatCount(row.dead),
    row.mode,
  ]);
  say(formatTable(header, cells));
}

export async function purgeQueue(
  { admin }: QueueDesk,
  queue: string,
  options: { dead: boolean; count: number | null },
): Promise<void> {
  const { dead, ready, delayed } = await admin.depth(queue);
  const present = options.dead ? dead : ready + delayed;
  const named = (count: number): string => plural(count, options.dead ? 'dead letter' : 'waiting job');
  const held = `${queue} holds ${present} ${named(present)}`;
  const typed = options.count ?? (await askForCount(held, present));
  if (typed !== present) {
    const message = `${held}, not ${typed}: nothing was purged`;
    throw new YeeterError('QUEUE_COUNT_CHANGED', message);
  }
  const purged = options.dead ? await admin.purgeDead(queue, present) : await admin.purge(queue, present);
  say(`purged ${formatCount(purged)} ${named(purged)} of ${queue}`);
}

async function askForCount(held: string, present: number): Promise<number> {
  if (!process.stdin.isTTY) {
    throw new YeeterError(
      'USAGE',
      `${held}: add --count ${present} to purge ${plural(present, 'it', 'them')}`,
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await prompt.question(`${held}. Type the number to purge ${plural(present, 'it', 'them')}: `);
  prompt.close();
  return Number(typed);
}

const DONE: Record<QueueMode, string> = {
  paused: 'paused: workers leave it alone within a second; publishing goes on',
  open: 'open: workers take it up again within a second',
  draining: 'draining: runs start nothing new for it',
};

export async function setMode({ admin }: QueueDesk, queue: string, mode: QueueMode): Promise<void> {
  await admin.setMode(queue, mode);
  say(`${queue} is ${DONE[mode]}`);
}

const DRAIN_POLL_MS = 1000;
/** Workers tell what they hold every two seconds: before that, a queue whose last jobs were just taken seems empty. */
const EMPTY_LOOKS = 4;

export async function drainQueue(
  { admin }: QueueDesk,
  queue: string,
  options: { wait: boolean },
): Promise<void> {
  await admin.setMode(queue, 'draining');
  say(`${queue} is ${DONE.draining}; "yeeter queues resume ${queue}" opens it again`);
  let last = -1;
  for (let empty = 0; options.wait && empty < EMPTY_LOOKS; await delay(DRAIN_POLL_MS)) {
    const left = waiting(await admin.depth(queue));
    empty = left === 0 ? empty + 1 : 0;
    if (left > 0 && left !== last) say(`${formatCount(left)} ${plural(left, 'job')} left`);
    last = left;
  }
  if (options.wait) say('0 jobs left');
}
