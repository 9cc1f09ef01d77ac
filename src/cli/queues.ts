import { createInterface } from 'node:readline/promises';
import { YeeterError } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import type { QueueDepth } from '../queue/port.ts';
import type { DeadJob, QueueMode } from '../storage/coordination-port.ts';
import { formatCount, formatRate, formatTable } from './format.ts';
import type { QueueDesk } from './queue-desk.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const RATE_INTERVAL_MS = 1000;

const waiting = (depth: QueueDepth): number => depth.ready + depth.delayed + depth.unacknowledged;

export async function listQueues({ admin }: QueueDesk, { json }: { json: boolean }): Promise<void> {
  const before = new Map((await admin.list()).map((status) => [status.queue, waiting(status)]));
  await delay(RATE_INTERVAL_MS);
  const rows = (await admin.list()).map((status) => ({
    ...status,
    changePerSecond: ((waiting(status) - (before.get(status.queue) ?? 0)) * 1000) / RATE_INTERVAL_MS,
  }));
  if (json) return say(JSON.stringify(rows, null, 2));
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
  desk: QueueDesk,
  queue: string,
  options: { limit: number; json: boolean },
): Promise<void> {
  const dead = await desk.deadJobs(queue, options.limit);
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
  { admin }: QueueDesk,
  queue: string,
  jobIds: readonly string[] | 'all',
): Promise<void> {
  const done = await admin.requeueDead(queue, jobIds);
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
  { admin, depth }: QueueDesk,
  queue: string,
  options: { dead: boolean; count: number | null },
): Promise<void> {
  const { dead, ready, delayed } = await depth(queue);
  const present = options.dead ? dead : ready + delayed;
  const what = options.dead ? 'dead letters' : 'waiting jobs';
  const typed = options.count ?? (await askForCount(queue, present, what));
  if (typed !== present) {
    const message = `${queue} holds ${present} ${what}, not ${typed}: nothing was purged`;
    throw new YeeterError('QUEUE_COUNT_CHANGED', message);
  }
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

export async function setMode({ admin }: QueueDesk, queue: string, mode: QueueMode): Promise<void> {
  await admin.setMode(queue, mode);
  say(`${queue} is ${DONE[mode]}`);
}

const DRAIN_POLL_MS = 1000;

export async function drainQueue(
  { admin, depth }: QueueDesk,
  queue: string,
  options: { wait: boolean },
): Promise<void> {
  await admin.setMode(queue, 'draining');
  say(`${queue} is ${DONE.draining}; "yeeter queues resume ${queue}" opens it again`);
  for (let last = -1; options.wait; await delay(DRAIN_POLL_MS)) {
    const left = waiting(await depth(queue));
    if (left !== last) say(`${formatCount(left)} jobs left`);
    if (left === 0) return;
    last = left;
  }
}
