import { type IterationCursor, type IterationEnd, iterate } from '../engine/iterate.ts';
import { failure, toYeeterError } from '../lib/errors.ts';
import type { StepEnvironment } from '../steps/step.ts';
import type { IterationRow, RunRecord } from '../storage/port.ts';
import type { EventLog } from './event-log.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import type { RunTracker } from './run-tracker.ts';

/** One run as one process sees it; runner and worker share it. */
export interface RunContext {
  deploymentId: string;
  run: RunRecord;
  environment: StepEnvironment;
  ledger: LedgerWriter;
  events: EventLog;
  tracker: RunTracker;
  /** Set when the run is cancelled: nothing more is started. */
  stop: AbortSignal;
  /** How far instants of other processes may be off, microseconds; shorter queue waits mean nothing. */
  clockUncertaintyUs: () => number;
}

/** Ends an iteration in the ledger and in the counts. */
export function endIteration(context: RunContext, row: IterationRow): void {
  const { recorder } = context.environment;
  if (row.outcome !== 'cancelled') recorder.record('iteration', row.responseUs, row.outcome === 'completed');
  context.ledger.iteration(row);
  context.tracker.end(row.iteration, row.outcome);
}

/** `iterate`, with faults of the program turned into failures of this iteration: the boundary of a job. */
export async function iterateSafely(context: RunContext, cursor: IterationCursor): Promise<IterationEnd> {
  try {
    return await iterate(cursor, context.environment, context.events.step);
  } catch (thrown) {
    const error = toYeeterError(thrown);
    const step = context.run.template.steps[cursor.stepIndex]!;
    const result = failure(error.code, error.message, error.retryable);
    context.events.step(cursor, step, result);
    return { kind: 'failed', step, failure: result };
  }
}
