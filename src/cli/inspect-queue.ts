import { plural } from '../lib/plural.ts';
import type { SetAsideMessage } from '../queue/port.ts';
import type { DeadJob } from '../storage/coordination-port.ts';
import { formatCount, formatTable } from './format.ts';
import type { QueueDesk } from './queue-desk.ts';
import { type OutputFormat, printListing, say } from './remote/output.ts';
import { printable } from './remote/printable.ts';

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
  const rows = [...jobs.map(deadRow), ...setAside.map(setAsideRow)].sort(newestFirst).slice(0, limit);
  if (format !== 'table') {
    return printListing({ raw: rows, rows, columns: DEAD_COLUMNS, empty: '' }, format);
  }
  if (rows.length === 0) return say(`${queue}: no dead jobs`);
  const header = ['job', 'run', 'patient', 'attempts', 'step', 'died at', 'code', 'requeued'];
  say(formatTable(header, rows.map(deadCells)));
  for (const line of reasonLines(rows)) say(line);
  if (dead < jobs.length) {
    const letters = plural(dead, 'dead letter is', 'dead letters are');
    say(`${formatCount(dead)} ${letters} there to be requeued: those of the other jobs were purged`);
  }
}

/** Those of which it is not known when come last. */
const newestFirst = (a: DeadLetterRow, b: DeadLetterRow): number =>
  String(b.died_at ?? '').localeCompare(String(a.died_at ?? ''));

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

const cellText = (value: unknown): string => printable(String(value ?? '-'));

function deadCells(row: DeadLetterRow): string[] {
  const requeued = row.requeues === 0 ? 'never' : `${row.requeues} x, again dead`;
  return [
    ...[row.job_id, row.run_id, row.patient_iteration, row.attempts].map(cellText),
    ...[row.failed_step, row.died_at, row.error_code].map(cellText),
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
