import { createInterface } from 'node:readline/promises';
import { YeeterError } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import type { QueueDepth, SetAsideMessage } from '../queue/port.ts';
import type { DeadJob, QueueMode } from '../storage/coordination-port.ts';
import { formatCount, formatRate, formatTable } from './format.ts';
import type { QueueDesk } from './queue-desk.ts';
import { type OutputFormat, printListing, say } from './remote/output.ts';
import { printable } from './remote/printable.ts';

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

const DEAD_COLUMNS = [
  ...(['kind', 'job_id', 'run_id', 'patient_iteration', 'attempts', 'failed_step'] as const),
  ...(['died_at', 'error_code', 'error', 'requeues', 'metadata'] as const),
];

/** A dead job, or a message that is none: its `job_id` is what its publisher called it. */
type DeadLetterRow = Readonly<Record<(typeof DEAD_COLUMNS)[number], unknown>>;

export async function inspectQueue(
  { admin, deadJobs }: QueueDesk,
  queue: string,
  { limit, format }: { limit: number; format: OutputFormat },
): Promise<void> {
  const { dead } = await admin.depth(queue);
  const jobs = await deadJobs(queue, limit);
  const setAside = dead > jobs.length ? await admin.setAsideMessages(queue, limit) : [];
  const rows = [...jobs.map(deadRow), ...setAside.map(setAsideRow)];
  if (format !== 'table') {
    return printListing({ raw: rows, rows, columns: DEAD_COLUMNS, empty: '' }, format);
  }
  if (rows.length === 0) return say(`${queue}: no dead jobs`);
  const header = ['job', 'run', 'patient', 'attempts', 'died at', 'code', 'requeued'];
  say(formatTable(header, rows.map(deadCells)));
  for (const line of reasonLines(rows)) say(line);
  if (dead < jobs.length) {
    say(`${formatCount(dead)} dead letters are there to be requeued: those of the other jobs were purged`);
  }
}

const isoTime = (ms: number): string => new Date(ms).toISOString();

function deadRow(job: DeadJob): DeadLetterRow {
  return {
    kind: 'dead',
    job_id: job.jobId,
    run_id: job.runId,
    patient_iteration: job.iteration,
    attempts: job.attempts,
    failed_step: job.failedStep,
    died_at: isoTime(job.diedAtMs),
    error_code: job.errorCode,
    error: job.error,
    requeues: job.requeues,
    metadata: job.metadata,
  };
}

function setAsideRow({ messageId, reason, setAsideAtMs }: SetAsideMessage): DeadLetterRow {
  return {
    kind: 'set_aside',
    job_id: messageId,
    run_id: null,
    patient_iteration: null,
    attempts: null,
    failed_step: null,
    died_at: setAsideAtMs === null ? null : isoTime(setAsideAtMs),
    error_code: 'JOB_INVALID',
    error: reason,
    requeues: 0,
    metadata: {},
  };
}

function deadCells(row: DeadLetterRow): string[] {
  const requeued = row.requeues === 0 ? 'never' : `${row.requeues} x, again dead`;
  return [
    ...[row.job_id, row.run_id, row.patient_iteration, row.attempts, row.died_at, row.error_code].map(
      (cell) => printable(String(cell ?? '-')),
    ),
    row.kind === 'dead' ? requeued : 'set aside',
  ];
}

/** Texts that differ in what has digits in it, as ids and instants do, are one reason, told by the first of them. */
function reasonLines(rows: readonly DeadLetterRow[]): string[] {
  const reasons = new Map<string, { count: number; first: string; differ: boolean }>();
  for (const { error, error_code: code } of rows) {
    const text = `${code}: ${printable(String(error))}`;
    const reason = text.replace(/\S*\d\S*/g, '#');
    const known = reasons.get(reason);
    reasons.set(reason, {
      count: (known?.count ?? 0) + 1,
      first: known?.first ?? text,
      differ: known !== undefined && (known.differ || known.first !== text),
    });
  }
  return [...reasons.values()].map(
    ({ count, first, differ }) => `  ${formatCount(count)} x ${first}${differ ? ', and alike' : ''}`,
  );
}

export async function requeueDead(
  { admin }: QueueDesk,
  queue: string,
  jobIds: readonly string[] | 'all',
): Promise<void> {
  const { dead } = await admin.depth(queue);
  const done = new Set<string>();
  const runs = new Set<number>();
  let requeued = 0;
  // So many are taken at a time; what dies again meanwhile is left.
  let more: number;
  do {
    const round = await admin.requeueDead(queue, jobIds);
    more = round.requeued;
    requeued += more;
    for (const id of round.jobIds) done.add(id);
    for (const id of round.runIds) runs.add(id);
  } while (jobIds === 'all' && more > 0 && requeued < dead);
  const missing = jobIds === 'all' ? [] : jobIds.filter((id) => !done.has(id));
  if (requeued > 0) {
    say(`requeued ${formatCount(requeued)} jobs of ${queue}, runs ${[...runs].join(', ')}`);
  } else if (missing.length === 0) say(`${queue}: no dead jobs to requeue`);
  if (missing.length > 0) {
    throw new YeeterError('USAGE', `not among the dead letters of ${queue}: ${missing.join(', ')}`);
  }
  if (jobIds !== 'all' || requeued >= dead) return;
  const { length: left } = await admin.setAsideMessages(queue, dead - requeued);
  if (left === 0) return;
  say(
    `${formatCount(left)} messages stay, which are no jobs of this deployment: ` +
      `"yeeter queues inspect ${queue}" tells why, "yeeter queues purge ${queue} --dead" takes them away`,
  );
}

export async function purgeQueue(
  { admin }: QueueDesk,
  queue: string,
  options: { dead: boolean; count: number | null },
): Promise<void> {
  const { dead, ready, delayed } = await admin.depth(queue);
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
    if (left > 0 && left !== last) say(`${formatCount(left)} jobs left`);
    last = left;
  }
  if (options.wait) say('0 jobs left');
}
