import { nextRunStatus, type RunEvent } from '../domain/run-state.ts';
import type { Step } from '../domain/template.ts';
import type { IterationCursor } from '../engine/iterate.ts';
import type { Clock } from '../lib/clock.ts';
import type { StepResult } from '../steps/step.ts';
import type { EventStatus } from '../storage/port.ts';
import type { LedgerWriter } from './ledger-writer.ts';

/** Step number of the lines that end a run (wire contract). */
const RUN_END_STEP = 999;

export interface EventLog {
  run(status: EventStatus, details: string): void;
  /** The line that ends a run. @param failed patients */
  runEnded(event: RunEvent, failed: number): void;
  step(cursor: IterationCursor, step: Step, result: StepResult): void;
  failure(iteration: number, stepOrder: number, details: string): void;
}

export interface EventLogOptions {
  ledger: LedgerWriter;
  runId: number;
  clock: Clock;
  /** Patients whose every step has a line; after them only failures have. @default 10 */
  detailedPatients?: number;
}

/** Bounded: every failure and state change, and the steps of the first patients. */
export function createEventLog({ ledger, runId, clock, detailedPatients = 10 }: EventLogOptions): EventLog {
  const add = (stepOrder: number, iteration: number, status: EventStatus, details: string): void =>
    ledger.event({ runId, timestampMs: clock.nowMs(), stepOrder, iteration, status, details });
  return {
    run: (status, details) => add(0, 0, status, details),
    runEnded: (event, failed) => {
      const ended = `ended ${nextRunStatus('RUNNING', event)}`;
      const details = failed === 0 ? ended : `${ended}, failed patients: ${failed}`;
      add(RUN_END_STEP, 0, event === 'over_ok' ? 'SUCCESS' : 'WARN', details);
    },
    step: (cursor, step, result) => {
      if (!result.ok) {
        add(
          step.stepOrder,
          cursor.iteration,
          'FAILURE',
          `${step.stepType}: ${result.code}: ${result.message}`,
        );
      } else if (cursor.iteration <= detailedPatients) {
        add(
          step.stepOrder,
          cursor.iteration,
          'SUCCESS',
          step.label ? `${step.stepType}: ${step.label}` : step.stepType,
        );
      }
    },
    failure: (iteration, stepOrder, details) => add(stepOrder, iteration, 'FAILURE', details),
  };
}
