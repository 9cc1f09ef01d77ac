import { attemptInLife, type Job } from '../domain/job.ts';
import type { Step } from '../domain/template.ts';
import type { IterationEnd } from '../engine/iterate.ts';
import { backoffMs } from '../lib/backoff.ts';
import { type Failure, failure } from '../lib/errors.ts';
import type { AttemptOutcome, IterationOutcome } from '../storage/port.ts';

/** What becomes of a job after an attempt. `terminal` ends its iteration. */
export type Settlement =
  | { action: 'complete'; outcome: AttemptOutcome; terminal: IterationOutcome }
  | { action: 'hand_on'; outcome: AttemptOutcome; step: Step }
  | { action: 'postpone'; delayMs: number }
  /** Cut off by the end of its worker: another makes this attempt again. */
  | { action: 'hand_back' }
  | { action: 'retry'; outcome: AttemptOutcome; delayMs: number; failure: Failure }
  | {
      action: 'give_up';
      outcome: AttemptOutcome;
      terminal: IterationOutcome;
      failure: Failure;
      step: Step | null;
    };

/**
 * Decides, from how the attempt ended, what happens to the job. Every attempt of a failing job is used, whatever
 * failed: a fault that no retry can mend ends it at once.
 */
export function decideSettlement(end: IterationEnd, job: Job): Settlement {
  switch (end.kind) {
    case 'done':
      return { action: 'complete', outcome: 'success', terminal: 'completed' };
    case 'hand_off':
      return { action: 'hand_on', outcome: 'success', step: end.step };
    case 'wait':
      return { action: 'postpone', delayMs: end.delayMs };
    case 'failed':
      return decideFailure(end.failure, end.step, job);
    default:
      return end satisfies never;
  }
}

export function decideFailure(why: Failure, step: Step | null, job: Job): Settlement {
  if (why.code === 'CANCELLED') {
    return { action: 'give_up', outcome: 'abandoned', terminal: 'cancelled', failure: why, step };
  }
  if (why.retryable && job.attempt < job.retry.maxAttempts) {
    const delayMs = backoffMs(job.retry, attemptInLife(job));
    return { action: 'retry', outcome: 'retried', delayMs, failure: why };
  }
  return { action: 'give_up', outcome: 'dead', terminal: 'failed', failure: why, step };
}

/** A job of a cancelled run: settled without being executed. */
export function settleCancelled(): Settlement {
  const why = failure('CANCELLED', 'the run was cancelled before this job was executed');
  return { action: 'give_up', outcome: 'cancelled', terminal: 'cancelled', failure: why, step: null };
}

/** A job that no worker has brought to an end. */
export function settleUndeliverable(deliveries: number): Settlement {
  const message = `handed out ${deliveries} times without being ended: look for a fault that ends its workers`;
  const why = failure('JOB_UNDELIVERABLE', message);
  return { action: 'give_up', outcome: 'dead', terminal: 'failed', failure: why, step: null };
}
