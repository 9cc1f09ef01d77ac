import type { Job } from '../domain/job.ts';
import type { Failure } from '../lib/errors.ts';
import type {
  AttemptOutcome,
  AttemptRow,
  IterationOutcome,
  LedgerBatch,
  RunRecord,
} from '../storage/port.ts';
import { terminalRow } from './terminal-row.ts';

export interface UnexecutedEnd {
  outcome: AttemptOutcome;
  terminal: IterationOutcome;
  failure: Failure;
  /** Who settles them. */
  workerId: string;
  /** Instant of the end; see `Clock.epochUs`. */
  nowUs: number;
}

/** The rows that settle jobs of a run which no worker has executed, and end their iterations. */
export function unexecutedRows(run: RunRecord, jobs: readonly Job[], end: UnexecutedEnd): LedgerBatch {
  const { outcome, terminal, failure, workerId, nowUs } = end;
  const attempts = jobs.map(
    (job): AttemptRow => ({
      jobId: job.jobId,
      attempt: job.attempt,
      runId: job.runId,
      queue: job.queue,
      jobType: job.jobType,
      outcome,
      errorCode: failure.code,
      error: failure.message,
      durationUs: 0,
      queueWaitUs: null,
      stepsExecuted: 0,
      remainingSteps: job.remainingSteps.length,
      patientIteration: job.iteration,
      repeatIteration: job.repeatsDone,
      workerId,
      possiblyRepeated: job.possiblyRepeated,
      createdAtMs: Math.floor(nowUs / 1000),
    }),
  );
  const iterations = jobs.map((job) =>
    terminalRow({
      run,
      iteration: job.iteration,
      outcome: terminal,
      failedStep: job.remainingSteps[0] ?? null,
      failure,
      state: job.state,
      intendedStartUs: job.intendedStartUs,
      nowUs,
      possiblyRepeated: job.possiblyRepeated,
    }),
  );
  return { attempts, iterations, events: [], windows: [], health: [], depths: [], handedOff: [] };
}
