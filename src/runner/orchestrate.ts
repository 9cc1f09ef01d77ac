import type { IterationCursor, IterationEnd } from '../engine/iterate.ts';
import { openJob } from '../engine/open-job.ts';
import { publishJob } from '../ledger/publish-job.ts';
import { endIteration, iterateSafely, type RunContext } from '../ledger/run-context.ts';
import { terminalRow } from '../ledger/terminal-row.ts';
import type { Failure } from '../lib/errors.ts';
import type { Semaphore } from '../lib/semaphore.ts';
import type { QueuePort } from '../queue/port.ts';
import type { IterationOutcome } from '../storage/port.ts';

export interface RunnerOptions {
  context: RunContext;
  queue: QueuePort;
  /** Places for iterations (closed model). */
  places: Semaphore;
  /** A place is given back when the iteration has its terminal row; else as soon as it is handed to a queue. */
  holdPlaces: boolean;
  /** @default that of the run's last patient */
  lastIteration?: number;
  /** Iterations that were ended, or handed to a queue, before this life of the run. */
  isSettledElsewhere: (iteration: number) => boolean;
  /** Resolves when another iteration may start, or at the signal. @default at once */
  mayStart?: (stop: AbortSignal) => Promise<void>;
  /**
   * Whether what is handed to a queue is noted: where jobs outlive their runner, the next one must know what is on its
   * way. @default false
   */
  notesHandOffs?: boolean;
  /** True when this run is gone on with after an interruption: what was under way then may be repeated. */
  resumed: boolean;
  /** The ledger is behind by more rows than this: start nothing until it has caught up. @default 20000 */
  maxPendingRows?: number;
}

/** `halt` starts no further iteration. */
type Runner = RunnerOptions & { halt: () => void };

interface StartedIteration {
  cursor: IterationCursor;
  intendedStartUs: number;
}

/** Starts iterations in order, as places allow, until all are started or the run is stopped. */
export async function startIterations(options: RunnerOptions): Promise<void> {
  const { context, places, lastIteration = context.run.patientCount, maxPendingRows = 20_000 } = options;
  const stopped = new AbortController();
  const stop = AbortSignal.any([context.stop, stopped.signal]);
  const runner: Runner = { ...options, halt: () => stopped.abort() };
  for (let iteration = 1; iteration <= lastIteration; iteration++) {
    if (options.isSettledElsewhere(iteration)) continue;
    await options.mayStart?.(stop);
    if (!(await places.acquire(stop)) || stop.aborted) break;
    if (context.ledger.pending > maxPendingRows) await context.ledger.caughtUp();
    void runIteration(runner, iteration);
  }
}

async function runIteration(runner: Runner, iteration: number): Promise<void> {
  const { context } = runner;
  context.tracker.start(iteration);
  const started: StartedIteration = {
    intendedStartUs: context.environment.clock.epochUs(),
    cursor: {
      iteration,
      state: null,
      stepIndex: 0,
      repeatsDone: 0,
      queue: null,
      executed: 0,
      mayRepeat: runner.resumed,
    },
  };
  const end = await iterateSafely(context, started.cursor);
  await settleInline(runner, started, end);
}

/** Ends the iteration, or hands it on to its queue. */
async function settleInline(runner: Runner, started: StartedIteration, end: IterationEnd): Promise<void> {
  switch (end.kind) {
    case 'done':
      return finish(runner, started, 'completed', null, null);
    case 'failed': {
      const outcome = end.failure.code === 'CANCELLED' ? 'cancelled' : 'failed';
      return finish(runner, started, outcome, end.step.stepOrder, end.failure);
    }
    case 'hand_off': {
      const { context, resumed } = runner;
      const { run, deploymentId, environment } = context;
      const origin = {
        deploymentId,
        runId: run.id,
        template: run.template,
        segment: 0,
        intendedStartUs: started.intendedStartUs,
        possiblyRepeated: resumed,
      };
      const job = openJob(origin, started.cursor, end.step, environment.clock.epochUs());
      const published = await publishJob(context, runner.queue, job);
      if (published.ok) {
        if (runner.notesHandOffs) context.ledger.handedOff({ runId: run.id, iteration: job.iteration });
        if (!runner.holdPlaces) context.tracker.leave(job.iteration);
        return;
      }
      context.events.failure(job.iteration, end.step.stepOrder, `${published.code}: ${published.message}`);
      return finish(runner, started, 'failed', end.step.stepOrder, published);
    }
    case 'wait':
      throw new Error('an iteration without a job sleeps through its waits');
    default:
      return end satisfies never;
  }
}

function finish(
  runner: Runner,
  started: StartedIteration,
  outcome: IterationOutcome,
  failedStep: number | null,
  failure: Failure | null,
): void {
  const { context, resumed } = runner;
  // Before the place is given back, or the next patient would start.
  if (outcome === 'failed' && context.run.onFailure === 'fail_run') runner.halt();
  const row = terminalRow({
    run: context.run,
    iteration: started.cursor.iteration,
    outcome,
    failedStep,
    failure,
    state: started.cursor.state,
    intendedStartUs: started.intendedStartUs,
    nowUs: context.environment.clock.epochUs(),
    possiblyRepeated: resumed,
  });
  endIteration(context, row);
}
