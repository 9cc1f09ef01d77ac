import { createInterface } from 'node:readline/promises';
import type { Config } from '../config/config.ts';
import type { Job } from '../domain/job.ts';
import { DEFAULT_QUEUE } from '../domain/template.ts';
import { unexecutedRows } from '../ledger/unexecuted.ts';
import { failure, YeeterError } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import type { QueueDepth } from '../queue/port.ts';
import { type DurableShape, openDurableShape } from '../roles/durable-shape.ts';
import { asyncQueues } from '../roles/run-session.ts';
import type { DeadJob, QueueMode } from '../storage/coordination-port.ts';
import { formatCount, formatRate, formatTable } from './format.ts';

export interface QueueCommandOptions {
  config: Config;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const warn = (line: string): void => void process.stderr.write(`${line}\n`);

const open = ({ config }: QueueCommandOptions): Promise<DurableShape> =>
  openDurableShape(config, 'yeeter queues', warn);

const RECENT_RUNS = 200;
const RATE_INTERVAL_MS = 1000;

/** Queues of the recent runs, and the default one. */
async function knownQueues({ store }: DurableShape, config: Config): Promise<string[]> {
  const runs = await store.listRuns({ limit: RECENT_RUNS });
  return [
    ...new Set([config.orderQueue ?? DEFAULT_QUEUE, ...runs.flatMap((run) => asyncQueues(run.template))]),
  ].sort();
}

const waiting = (depth: QueueDepth): number => depth.ready + depth.delayed + depth.unacknowledged;

export async function listQueues(options: QueueCommandOptions & { json: boolean }): Promise<void> {
  await using shape = await open(options);
  const names = await knownQueues(shape, options.config);
  const before = await shape.queue.depth(names);
  await delay(RATE_INTERVAL_MS);
  const now = await shape.queue.depth(names);
  const { queueModes } = await shape.store.control();
  const rows = now.map((depth, at) => ({
    ...depth,
    mode: queueModes[depth.queue] ?? 'open',
    changePerSecond: ((waiting(depth) - waiting(before[at]!)) * 1000) / RATE_INTERVAL_MS,
  }));
  if (options.json) return say(JSON.stringify(rows, null, 2));
  const header = ['queue', 'ready', 'delayed', 'unacked', 'consumers', 'change/s', 'dead', 'mode'];
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
  const { requeued, jobs } = await shape.queue.requeueDead(queue, {
    jobIds,
    // Before they are published: what a worker settles afterwards must find the job open.
    beforePublish: (taken) => shape.store.reopenJobs(taken),
  });
  const runs = [...new Set(jobs.map((job) => job.runId))];
  say(
    `requeued ${formatCount(requeued)} jobs of ${queue}${runs.length > 0 ? `, runs ${runs.join(', ')}` : ''}`,
  );
  if (jobIds !== 'all' && requeued < jobIds.length) {
    const missing = jobIds.filter((id) => !jobs.some((job) => job.jobId === id));
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
  const purged = options.dead
    ? await shape.queue.purgeDead(queue)
    : await shape.queue.purge(queue, present, (jobs) => settlePurged(shape, jobs));
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

/** A purged job is settled as cancelled, so that its run can end. */
async function settlePurged({ store, clock }: DurableShape, jobs: readonly Job[]): Promise<void> {
  const rows = unexecutedRows(jobs, {
    outcome: 'cancelled',
    terminal: 'cancelled',
    failure: failure('CANCELLED', 'the job was purged from its queue'),
    workerId: 'queues purge',
    nowUs: clock.epochUs(),
  });
  await store.writeLedger(rows);
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
