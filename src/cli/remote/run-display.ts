import { csvLine } from '../../metrics/csv.ts';
import { formatCount, formatDuration } from '../format.ts';
import type { RunDetail, RunEvent, RunStats } from './answers.ts';
import type { OutputFormat } from './output.ts';
import { printable, printableJson } from './printable.ts';
import type { RunFigures } from './run-figures.ts';

/** Shows what happens to a run. */
export interface RunDisplay {
  event(event: RunEvent): void;
  /** A new status, after the events that led to it. */
  status(run: RunDetail): void;
  progress(figures: RunFigures): void;
  /** What a person should know of the following itself. */
  note(text: string): void;
  end(stats: RunStats): void;
}

export interface RunDisplayOptions {
  runId: number;
  format: OutputFormat;
  /** Without them only progress and the end are shown. */
  showEvents: boolean;
  /** Events, status and end: lines to read, one JSON object a line, or rows of one CSV. */
  out: NodeJS.WriteStream;
  /** Progress and notes. */
  err: NodeJS.WriteStream;
  nowMs: () => number;
}

const CLEAR = '\r\x1b[2K';
const PLAIN_INTERVAL_MS = 10_000;

/** On a terminal one line of progress rewrites itself below the events; elsewhere a line comes every ten seconds. */
export function createRunDisplay(options: RunDisplayOptions): RunDisplay {
  if (options.format === 'json') return jsonDisplay(options);
  return textDisplay(options, options.format === 'csv' ? csvLines(options.runId) : plainLines(options.runId));
}

/** How things are told, each with its line end. */
interface DisplayLines {
  event(event: RunEvent): string;
  status(status: string): string;
  end(stats: RunStats): string;
}

function plainLines(runId: number): DisplayLines {
  return {
    event: (event) => `${eventLine(event)}\n`,
    status: (status) => `run ${runId} is ${printable(status)}\n`,
    end: (stats) => `${endLine(stats)}\n`,
  };
}

const CSV_COLUMNS = ['type', 'run_id', 'timestamp', 'iteration', 'step_order', 'status', 'details'];

function csvLines(runId: number): DisplayLines {
  let header = csvLine(CSV_COLUMNS);
  const row = (type: string, ...cells: (string | number | null | undefined)[]): string => {
    const printed = cells.map((cell) => (typeof cell === 'string' ? printable(cell) : (cell ?? null)));
    const text = header + csvLine([type, runId, ...printed]);
    header = '';
    return text;
  };
  return {
    event: ({ timestamp, iteration, step_order: step, status, details }) =>
      row('event', timestamp, iteration, step, status, details),
    status: (status) => row('status', null, null, null, status, null),
    end: (stats) => row('end', stats.completed_at, null, null, stats.status, lastFailure(stats)),
  };
}

function textDisplay(
  { runId, showEvents, out, err, nowMs }: RunDisplayOptions,
  lines: DisplayLines,
): RunDisplay {
  let line = '';
  let plainAtMs = nowMs();
  const above = (stream: NodeJS.WriteStream, text: string): void => {
    if (line === '') return void stream.write(text);
    err.write(CLEAR);
    stream.write(text);
    err.write(line);
  };
  const clear = (): void => {
    if (line !== '') err.write(CLEAR);
    line = '';
  };
  return {
    event: (event) => {
      if (showEvents) above(out, lines.event(event));
    },
    status: ({ status }) => {
      if (showEvents) above(out, lines.status(status));
    },
    progress: (figures) => {
      const text = `run ${runId} | ${figuresLine(figures)}`;
      if (err.isTTY) {
        line = text.slice(0, (err.columns ?? 120) - 1);
        err.write(`${CLEAR}${line}`);
      } else if (nowMs() - plainAtMs >= PLAIN_INTERVAL_MS) {
        plainAtMs = nowMs();
        err.write(`${text}\n`);
      }
    },
    note: (text) => above(err, `${text}\n`),
    end: (stats) => {
      clear();
      out.write(lines.end(stats));
    },
  };
}

function jsonDisplay({ runId, showEvents, out, err }: RunDisplayOptions): RunDisplay {
  const write = (type: string, fields: object): void => {
    out.write(`${printableJson({ type, run_id: runId, ...fields }, 0)}\n`);
  };
  let last = '';
  return {
    event: (event) => {
      if (showEvents) write('event', { event });
    },
    status: ({ status }) => write('status', { status }),
    progress: (figures) => {
      const fields = {
        patient_count: figures.patients,
        patients_begun: figures.patientsBegun,
        queued_jobs: figures.jobs,
        completed_jobs: figures.jobsDone,
        failure_events: figures.failures,
        remaining_queue_depth: figures.queueDepth,
        active_workers: figures.workers,
        average_processing_ms: figures.averageJobMs,
      };
      const text = JSON.stringify(fields);
      if (text !== last) write('progress', fields);
      last = text;
    },
    note: (text) => void err.write(`${text}\n`),
    end: (stats) => write('end', { status: stats.status, stats }),
  };
}

/** Steps 0 and 999 are lines of the run or the patient as a whole. */
const NO_STEP = new Set([0, 999]);

export function eventLine({ timestamp, status, iteration, step_order: step, details }: RunEvent): string {
  const where = [
    iteration ? `patient ${iteration}` : 'run',
    step === null || step === undefined || NO_STEP.has(step) ? '' : `step ${step}`,
  ];
  const place = where.filter(Boolean).join(' ');
  return printable(`${timestamp ?? '-'}  ${status.padEnd(7)}  ${place}: ${details ?? ''}`).trimEnd();
}

export function figuresLine(figures: RunFigures): string {
  const { patients, patientsBegun, jobs, jobsDone, failures, queueDepth, workers, averageJobMs } = figures;
  const percent = patients === 0 ? 100 : Math.floor((100 * patientsBegun) / patients);
  const parts = [`${formatCount(patientsBegun)}/${formatCount(patients)} patients begun ${percent} %`];
  if (jobs > 0) parts.push(`${formatCount(jobsDone)}/${formatCount(jobs)} jobs done`);
  if (averageJobMs !== null) parts.push(`${averageJobMs.toFixed(1)} ms a job`);
  if (queueDepth !== null && jobs > 0) parts.push(`${formatCount(queueDepth)} queued`);
  if (workers !== null) parts.push(`${formatCount(workers)} workers`);
  return [...parts, `${formatCount(failures)} failure events`].join(' | ');
}

export function endLine(stats: RunStats): string {
  const { run_id: runId, status, duration_seconds: duration } = stats;
  const after = typeof duration === 'number' ? ` after ${formatDuration(duration)}` : '';
  const counts = [
    `${formatCount(stats.patient_count)} patients`,
    `${formatCount(stats.failure_events)} failure events`,
    `${formatCount(stats.warning_events)} warnings`,
  ];
  const line = `run ${runId} ${printable(status)}${after}: ${counts.join(', ')}`;
  const failure = lastFailure(stats);
  return failure === null ? line : `${line}\nlast failure: ${printable(failure)}`;
}

function lastFailure({ last_failure: failure }: RunStats): string | null {
  if (failure === null || failure === undefined || failure === '') return null;
  return typeof failure === 'string' ? failure : failureText(failure);
}

function failureText(failure: unknown): string {
  const details: unknown = (failure as { details?: unknown }).details;
  return typeof details === 'string' ? details : JSON.stringify(failure);
}
