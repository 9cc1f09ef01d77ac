import type { RunIdentity } from '../domain/identity.ts';
import type { IterationState } from '../domain/job.ts';
import type { StepOf, StepType, Template } from '../domain/template.ts';
import type { Clock } from '../lib/clock.ts';
import type { Failure } from '../lib/errors.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Clients } from './clients.ts';
import type { CompiledGenerators } from './generate-hl7.ts';
import type { StudyFactory } from './study-factory.ts';

/** What the steps of a run share. Nothing in it is specific to a patient. */
export interface StepEnvironment {
  template: Template;
  identity: RunIdentity;
  generators: CompiledGenerators;
  clients: Clients;
  studies: StudyFactory;
  recorder: Recorder;
  clock: Clock;
  /** Where GENERATE_DICOM with `store: disk` writes; null refuses it. */
  studyDir: string | null;
  /** Aborts what is on the wires. */
  signal: AbortSignal;
}

/** One execution of one step for one patient. Handlers change `state` and nothing else. */
export interface StepCall {
  /** Patient number, from 1. */
  iteration: number;
  /** Repetition of the step, from 0. */
  repetition: number;
  state: IterationState;
  /** Whether the same execution may have happened before: in a process that died, or in an earlier attempt. */
  mayRepeat: boolean;
}

export type StepOk = { ok: true };
export const STEP_OK: StepOk = { ok: true };

export type StepResult = StepOk | Failure;

/** Expected failures are results; only faults of the program throw. */
export type StepHandler<T extends StepType> = (
  step: StepOf<T>,
  call: StepCall,
  environment: StepEnvironment,
) => StepResult | Promise<StepResult>;
