import { createInterface } from 'node:readline/promises';
import type { Config } from '../config/config.ts';
import { DEFAULT_QUEUE } from '../domain/template.ts';
import { YeeterError } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import type { QueueAdmin } from '../queue/admin-port.ts';
import type { QueueDepth } from '../queue/port.ts';
import { type DurableShape, openDurableShape } from '../roles/durable-shape.ts';
import { createQueueAdmin } from '../roles/queue-admin.ts';
import type { DeadJob, QueueMode } from '../storage/coordination-port.ts';
import { formatCount, formatRate, formatTable } from './format.ts';

export interface QueueCommandOptions {
  config: Config;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const warn = (line: string): void => void process.stderr.write(`${line}\n`);

const open = ({ config }: QueueCommandOptions): Promise<DurableShape> =>
  openDurableShape(config, 'yeeter queues', warn);

const adminOf = (shape: DurableShape, { config }: QueueCommandOptions): QueueAdmin =>
  createQueueAdmin({
    ...shape,
    defaultQueue: config.orderQueue ?? DEFAULT_QUEUE,
    actor: 'yeeter queues',
  });

const RATE_INTERVAL_MS = 1000;

const waiting = (depth: QueueDepth): number => depth.ready + depth.delayed + depth.unacknowledged;

export async function listQueues(options: QueueCommandOptions & { json: boolean }): Promise<void> {
  await using shape = await open(options);
  const admin = adminOf(shape, options);
  const before = new Map((await admin.list()).map((status) => [status.queue, waiting(status)]));
  await delay(RATE_INTERVAL_MS);
  const rows = (await admin.list()).map((status) => ({
    ...status,
    changePerSecond: ((waiting(status) - (before.get(status.queue) ?? 0)) * 1000) / RATE_INTERVAL_MS,
  }));
  if (options.json) return say(JSON.stringify(rows, null, 2));
  const header = [
    ...['queue', 'ready', 'delayed', 'unacked', 'consumers'],
    ...['change/s', 'published/s', 'acked/s', 'dead', 'mode'],
  ];
  say(
    formatTable(
      header,
      rows.map((row) => [
        row.queue,
        formatCount(row.ready),
        formatCount(row.delayed),
        formatCount(row.unacknowledged),
        formatCount(row.consumers),
        `${row.changePerSecond < 0 ? '-' : '+'}${formatRate(Math.abs(row.changePerSecond))}`,
        row.publishedPerSecond === null ? '-' : formatRate(row.publishedPerSecond),
        row.acknowledgedPerSecond === null ? '-' : formatRate(row.acknowledgedPerSecond),
        formatCount(row.dead),
        row.mode,
      ]),
    ),
  );
}

export async function inspectQueue(
  queue: string,
  options: QueueCommandOptions & { limit: number; json: boolean },
): Promise<void> {
  await using shape = await open(options);
  const dead = await shape.store.deadJobs({ queue, limit: options.limit });
  if (options.json) return say(JSON.stringify(dead, null, 2));
  if (dead.length === 0) return say(`${queue}: no dead jobs in the ledger`);
  const header = ['job', 'run', 'patient', 'attempts', 'died at', 'code', 'requeued'];
  say(formatTable(header, dead.map(deadCells)));
  for (const [reason, count] of reasons(dead)) say(`  ${formatCount(count)} x ${reason}`);
}

function deadCells(dead: DeadJob): string[] {
  return [
    dead.jobId,
    String(dead.runId),
    String(dead.iteration),
    String(dead.attempts),
    new Date(dead.diedAtMs).toISOString(),
    dead.errorCode,
    dead.requeues > 0 ? `${dead.requeues} x, again dead` : 'never',
  ];
}

function reasons(dead: readonly DeadJob[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { error, errorCode } of dead) {
    const reason = `${errorCode}: ${error}`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}

export async function requeueDead(
  queue: string,
  jobIds: readonly string[] | 'all',
  options: QueueCommandOptions,
): Promise<void> {
  await using shape = await open(options);
  const done = await adminOf(shape, options).requeueDead(queue, jobIds);
  const { requeued, runIds } = done;
  say(
    `requeued ${formatCount(requeued)} jobs of ${queue}${runIds.length > 0 ? `, runs ${runIds.join(', ')}` : ''}`,
  );
  if (jobIds !== 'all' && requeued < jobIds.length) {
    const missing = jobIds.filter((id) => !done.jobIds.includes(id));
    throw new YeeterError('USAGE', `not among the dead letters of ${queue}: ${missing.join(', ')}`);
  }
}

export async function purgeQueue(
  queue: string,
  options: QueueCommandOptions & { dead: boolean; count: number | null },
): Promise<void> {
  await using shape = await open(options);
  const [depth] = await shape.queue.depth([queue]);
  const present = options.dead ? depth!.dead : depth!.ready + depth!.delayed;
  const what = options.dead ? 'dead letters' : 'waiting jobs';
  const typed = options.count ?? (await askForCount(queue, present, what));
  if (typed !== present) {
    const message = `${queue} holds ${present} ${what}, not ${typed}: nothing was purged`;
    throw new YeeterError('QUEUE_COUNT_CHANGED', message);
  }
  const admin = adminOf(shape, options);
  const purged = options.dead ? await admin.purgeDead(queue, present) : await admin.purge(queue, present);
  say(`purged ${formatCount(purged)} ${what} of ${queue}`);
}

async function askForCount(queue: string, present: number, what: string): Promise<number> {
  if (!process.stdin.isTTY) {
    throw new YeeterError('USAGE', `${queue} holds ${present} ${what}: add --count ${present} to purge them`);
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await prompt.question(`${queue} holds ${present} ${what}. Type the number to purge them: `);
  prompt.close();
  return Number(typed);
}

const DONE: Record<QueueMode, string> = {
  paused: 'paused: workers leave it alone within a second; publishing goes on',
  open: 'open: workers take it up again within a second',
  draining: 'draining: runs start nothing new for it',
};

export async function setMode(queue: string, mode: QueueMode, options: QueueCommandOptions): Promise<void> {
  await using shape = await open(options);
  await shape.store.setQueueMode(queue, mode);
  say(`${queue} is ${DONE[mode]}`);
}

const DRAIN_POLL_MS = 1000;

export async function drainQueue(
  queue: string,
  options: QueueCommandOptions & { wait: boolean },
): Promise<void> {
  await using shape = await open(options);
  await shape.store.setQueueMode(queue, 'draining');
  say(`${queue} is ${DONE.draining}; "yeeter queues resume ${queue}" opens it again`);
  for (let last = -1; options.wait; await delay(DRAIN_POLL_MS)) {
    const [depth] = await shape.queue.depth([queue]);
    const left = waiting(depth!);
    if (left !== last) say(`${formatCount(left)} jobs left`);
    if (left === 0) return;
    last = left;
  }
}
