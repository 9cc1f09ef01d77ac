import type { Clock } from '../lib/clock.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { isoTime, milliseconds } from './csv.ts';
import type { SeriesName } from './series.ts';
import type { MeasuredAttempt } from './worker-row.ts';

/** What a line tells of a patient's end. */
export interface MeasuredPatient {
  runId: number;
  iteration: number;
  outcome: string;
  failedStep: number | null;
  errorCode: string | null;
  responseUs: number;
  sutUs: number;
  ownUs: number;
}

/**
 * One JSON line on stdout for each thing that is measured. Taking one costs an entry in a list; lines are made and
 * written later, some hundred at a time. When nobody takes them up, they are dropped and counted.
 */
export interface MetricLog extends Closeable {
  operation(
    runId: number,
    series: SeriesName,
    durationUs: number,
    ok: boolean,
    bytes: number,
    jobId?: string,
  ): void;
  attempt(row: Omit<MeasuredAttempt, 'id'>): void;
  patient(row: MeasuredPatient): void;
  readonly dropped: number;
  /** Writes what is left, unless nobody takes it up. */
  close(): Promise<void>;
}

export interface MetricLogOptions {
  stream: Pick<NodeJS.WritableStream, 'write' | 'on' | 'off' | 'once'>;
  processId: string;
  clock: Pick<Clock, 'nowMs'>;
  /** Entries that wait at most. @default 20000 */
  maxWaiting?: number;
}

/** Names of the lines; a series that is not here is in another line already. */
export const OPERATION_LINES: Readonly<Partial<Record<SeriesName, string>>> = {
  order_ack: 'mllp_send',
  application_ack: 'mllp_application_ack',
  queue_publish: 'queue_publish',
  queue_wait: 'queue_wait',
  dicom_association: 'dicom_association',
  dicom_store: 'dicom_c_store',
  worklist_find: 'dicom_c_find',
  mpps: 'dicom_mpps',
};

const STEP_SERIES = /^step_(\d+)_(.+)$/;

const WRITE_INTERVAL_MS = 200;
/** About a millisecond of work. */
const LINES_AT_ONCE = 300;
const CLOSE_TIMEOUT_MS = 2000;

type Fields = Readonly<Record<string, string | number | boolean | null>>;
type Entry = { atMs: number } & (
  | { kind: 'attempt'; row: Omit<MeasuredAttempt, 'id'> }
  | { kind: 'patient'; row: MeasuredPatient }
  | {
      kind: 'operation';
      runId: number;
      series: SeriesName;
      durationUs: number;
      ok: boolean;
      bytes: number;
      jobId: string | undefined;
    }
);

function operationFields(entry: Extract<Entry, { kind: 'operation' }>): Fields {
  const { series, runId, jobId, ok, durationUs, bytes } = entry;
  const [, step, type] = STEP_SERIES.exec(series) ?? [];
  return {
    metric: OPERATION_LINES[series] ?? 'step_executed',
    run_id: runId,
    ...(jobId === undefined ? {} : { job_id: jobId }),
    ...(type === undefined ? {} : { step_order: Number(step), step_type: type.toUpperCase() }),
    success: ok,
    duration_ms: milliseconds(durationUs),
    ...(bytes > 0 ? { size_bytes: bytes } : {}),
  };
}

function attemptFields(row: Omit<MeasuredAttempt, 'id'>): Fields {
  return {
    metric: 'worker_job_processed',
    run_id: row.runId,
    job_id: row.jobId,
    attempt: row.attempt,
    queue: row.queue,
    job_type: row.jobType,
    success: row.outcome === 'success',
    outcome: row.outcome,
    error_code: row.errorCode,
    duration_ms: milliseconds(row.durationUs),
    queue_wait_ms: milliseconds(row.queueWaitUs),
    steps_executed: row.stepsExecuted,
    remaining_steps: row.remainingSteps,
    patient_iteration: row.patientIteration,
    repeat_iteration: row.repeatIteration,
    possibly_repeated: row.possiblyRepeated,
  };
}

function patientFields(row: MeasuredPatient): Fields {
  return {
    metric: 'patient_finished',
    run_id: row.runId,
    patient_iteration: row.iteration,
    success: row.outcome === 'completed',
    outcome: row.outcome,
    failed_step: row.failedStep,
    error_code: row.errorCode,
    response_ms: milliseconds(row.responseUs),
    sut_ms: milliseconds(row.sutUs),
    own_ms: milliseconds(row.ownUs),
  };
}

function fieldsOf(entry: Entry): Fields {
  switch (entry.kind) {
    case 'operation':
      return operationFields(entry);
    case 'attempt':
      return attemptFields(entry.row);
    case 'patient':
      return patientFields(entry.row);
    default:
      return entry satisfies never;
  }
}

export function createMetricLog(options: MetricLogOptions): MetricLog {
  const { stream, processId, clock, maxWaiting = 20_000 } = options;
  let waiting: Entry[] = [];
  let dropped = 0;
  let droppedTold = 0;
  let writing: Promise<void> | null = null;
  let broken = false;

  const add = (entry: Entry): void => {
    if (broken || waiting.length >= maxWaiting) dropped++;
    else waiting.push(entry);
  };

  const lineOf = (atMs: number, fields: Fields): string => {
    const { metric, ...rest } = fields;
    return `${JSON.stringify({ metric, at: isoTime(atMs), process_id: processId, ...rest })}\n`;
  };

  const nextText = (): string => {
    const lines = waiting.slice(0, LINES_AT_ONCE).map((entry) => lineOf(entry.atMs, fieldsOf(entry)));
    waiting = waiting.slice(LINES_AT_ONCE);
    if (dropped > droppedTold) {
      lines.push(lineOf(clock.nowMs(), { metric: 'metric_lines_dropped', count: dropped - droppedTold }));
      droppedTold = dropped;
    }
    return lines.join('');
  };

  /** Resolves when the stream takes more; other work has its turn in between. */
  const write = (text: string): Promise<void> =>
    new Promise((resolve) => {
      if (stream.write(text)) setImmediate(resolve);
      else stream.once('drain', resolve);
    });

  const writeAll = async (): Promise<void> => {
    while (!broken && (waiting.length > 0 || dropped > droppedTold)) await write(nextText());
  };
  const begin = (): void => {
    writing ??= writeAll().finally(() => {
      writing = null;
    });
  };

  const onError = (): void => {
    broken = true;
    dropped += waiting.length;
    waiting = [];
  };
  stream.on('error', onError);
  const timer = setInterval(begin, WRITE_INTERVAL_MS);
  timer.unref();

  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      clearInterval(timer);
      await writing;
      begin();
      const patience = Promise.withResolvers<void>();
      const late = setTimeout(patience.resolve, CLOSE_TIMEOUT_MS);
      await Promise.race([writing, patience.promise]);
      clearTimeout(late);
      stream.off('error', onError);
    })();
    return closed;
  };
  return {
    operation: (runId, series, durationUs, ok, bytes, jobId) => {
      if (OPERATION_LINES[series] === undefined && !series.startsWith('step_')) return;
      add({ kind: 'operation', atMs: clock.nowMs(), runId, series, durationUs, ok, bytes, jobId });
    },
    attempt: (row) => add({ kind: 'attempt', atMs: row.createdAtMs, row }),
    patient: (row) => add({ kind: 'patient', atMs: clock.nowMs(), row }),
    get dropped() {
      return dropped;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
