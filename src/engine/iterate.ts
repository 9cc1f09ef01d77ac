import type { IterationState } from '../domain/job.ts';
import type { Step, StepOf, StepType } from '../domain/template.ts';
import { type Failure, failure } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import type { SeriesName } from '../metrics/series.ts';
import { type ExecutedStepType, STEP_HANDLERS } from '../steps/registry.ts';
import { startState } from '../steps/start-state.ts';
import { STEP_OK, type StepCall, type StepEnvironment, type StepResult } from '../steps/step.ts';

/** Where an iteration is. `iterate` moves it on; what a retry or a hand-off needs is all here. */
export interface IterationCursor {
  /** Patient number, from 1. */
  iteration: number;
  /** Null until something asks for it; see `stateOf`. */
  state: IterationState | null;
  /** Index in the template's steps of the next one. */
  stepIndex: number;
  /** Repetitions of that step that are done. */
  repeatsDone: number;
  /** Queue of the job that carries the iteration; null while the runner does. */
  queue: string | null;
  /** Executions by this call of `iterate`. */
  executed: number;
  /** Whether what comes may have been executed before: in a process that died, or in an earlier attempt. */
  mayRepeat: boolean;
}

export type IterationEnd =
  | { kind: 'done' }
  | { kind: 'failed'; step: Step; failure: Failure }
  /** The next step is async: a job on its queue goes on. */
  | { kind: 'hand_off'; step: Step }
  /** A WAIT inside a job: its queue holds it. */
  | { kind: 'wait'; delayMs: number };

/** Called after each executed step, for its events. */
export type StepObserver = (cursor: IterationCursor, step: Step, result: StepResult) => void;

const seriesOfStep = (step: Step): SeriesName =>
  `step_${step.stepOrder}_${step.stepType.toLowerCase() as Lowercase<StepType>}`;

/** What the iteration has come to. Whoever asks first draws its patient and its order. */
function stateOf(
  cursor: IterationCursor,
  { template, identity }: Pick<StepEnvironment, 'template' | 'identity'>,
): IterationState {
  cursor.state ??= startState(template, identity, cursor.iteration);
  return cursor.state;
}

/**
 * Executes the steps of one iteration from its cursor on, until it is done, has failed, must be handed to a queue
 * or must wait. In the runner (`queue` is null) a WAIT is slept through; in a job it never is.
 */
export async function iterate(
  cursor: IterationCursor,
  environment: StepEnvironment,
  observe: StepObserver,
): Promise<IterationEnd> {
  const { steps } = environment.template;
  for (;;) {
    const step = steps[cursor.stepIndex];
    if (!step) return { kind: 'done' };
    if (step.execution === 'async' && step.queue !== cursor.queue && cursor.repeatsDone === 0) {
      return { kind: 'hand_off', step };
    }
    while (cursor.repeatsDone < step.repeat.count) {
      const result = await execute(step, cursor, environment);
      cursor.executed++;
      observe(cursor, step, result);
      if (!result.ok) return { kind: 'failed', step, failure: result };
      cursor.repeatsDone++;
      const delayMs = pauseAfter(step, cursor.repeatsDone);
      if (delayMs > 0) {
        if (cursor.queue !== null) {
          if (cursor.repeatsDone === step.repeat.count) nextStep(cursor);
          return { kind: 'wait', delayMs };
        }
        const whole = await delay(delayMs, environment.signal);
        if (!whole) return { kind: 'failed', step, failure: cancelled(step) };
      }
    }
    nextStep(cursor);
  }
}

function nextStep(cursor: IterationCursor): void {
  cursor.stepIndex++;
  cursor.repeatsDone = 0;
}

/** WAIT's duration, or the pause between two repetitions. */
function pauseAfter(step: Step, repeatsDone: number): number {
  const between = repeatsDone < step.repeat.count ? step.repeat.delayMs : 0;
  return step.stepType === 'WAIT' ? step.parameters.durationSeconds * 1000 + between : between;
}

function cancelled(step: Step): Failure {
  return failure('CANCELLED', `step ${step.stepOrder} ${step.stepType}: the run was cancelled`);
}

async function execute(
  step: Step,
  cursor: IterationCursor,
  environment: StepEnvironment,
): Promise<StepResult> {
  if (environment.signal.aborted) return cancelled(step);
  const { clock, recorder } = environment;
  const startedUs = clock.monotonicUs();
  if (step.stepType === 'WAIT') {
    // Whoever waits need not be known yet: a job that says nothing of its patient is a fifth of the size.
    recorder.record(seriesOfStep(step), clock.monotonicUs() - startedUs, true);
    return STEP_OK;
  }
  const state = stateOf(cursor, environment);
  const { accounts } = state;
  const sutBefore = accounts.sutUs;
  const call: StepCall = {
    iteration: cursor.iteration,
    repetition: cursor.repeatsDone,
    state,
    mayRepeat: cursor.mayRepeat,
  };
  const outcome = dispatch(step, call, environment);
  const result = outcome instanceof Promise ? await outcome : outcome;
  const tookUs = clock.monotonicUs() - startedUs;
  accounts.ownUs += Math.max(0, tookUs - (accounts.sutUs - sutBefore));
  recorder.record(seriesOfStep(step), tookUs, result.ok);
  return environment.signal.aborted && !result.ok ? cancelled(step) : result;
}

function dispatch<T extends ExecutedStepType>(
  step: StepOf<T>,
  call: StepCall,
  environment: StepEnvironment,
): StepResult | Promise<StepResult> {
  return STEP_HANDLERS[step.stepType](step, call, environment);
}
