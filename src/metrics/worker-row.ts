import { type CsvRow, isoTime, milliseconds } from './csv.ts';

/** What a row tells of an attempt; the storage's attempts have all of it. */
export interface MeasuredAttempt {
  id: number;
  runId: number;
  jobId: string;
  attempt: number;
  queue: string;
  jobType: string | null;
  outcome: string;
  errorCode: string | null;
  error: string | null;
  durationUs: number;
  queueWaitUs: number | null;
  stepsExecuted: number;
  remainingSteps: number;
  patientIteration: number;
  repeatIteration: number;
  workerId: string;
  possiblyRepeated: boolean;
  createdAtMs: number;
}

/** The 13 columns of the wire contract, then ours. */
export const WORKER_CSV_COLUMNS = [
  'id',
  'run_id',
  'job_id',
  'queue',
  'success',
  'outcome',
  'error',
  'duration_ms',
  'steps_executed',
  'remaining_steps',
  'patient_iteration',
  'repeat_iteration',
  'created_at',
  'attempt',
  'error_code',
  'queue_wait_ms',
  'worker_id',
  'possibly_repeated',
  'job_type',
] as const;

export type WorkerColumn = (typeof WORKER_CSV_COLUMNS)[number];

/** One attempt of a job in the shape of the wire contract; the duration is without the wait in the queue. */
export function workerMetricsRow(attempt: MeasuredAttempt): CsvRow<WorkerColumn> {
  return {
    id: attempt.id,
    run_id: attempt.runId,
    job_id: attempt.jobId,
    queue: attempt.queue,
    success: attempt.outcome === 'success',
    outcome: attempt.outcome,
    error: attempt.error,
    duration_ms: milliseconds(attempt.durationUs),
    steps_executed: attempt.stepsExecuted,
    remaining_steps: attempt.remainingSteps,
    patient_iteration: attempt.patientIteration,
    repeat_iteration: attempt.repeatIteration,
    created_at: isoTime(attempt.createdAtMs),
    attempt: attempt.attempt,
    error_code: attempt.errorCode,
    queue_wait_ms: milliseconds(attempt.queueWaitUs),
    worker_id: attempt.workerId,
    possibly_repeated: attempt.possiblyRepeated,
    job_type: attempt.jobType,
  };
}
