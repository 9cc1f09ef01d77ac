import { type IterationState, toldOf } from '../domain/job.ts';
import { toLanes } from '../domain/manifest.ts';
import type { Failure } from '../lib/errors.ts';
import { noAccounts, type StartIdentifiers, startIdentifiers } from '../steps/start-state.ts';
import type { IterationOutcome, IterationRow, RunRecord } from '../storage/port.ts';

export interface IterationEnding {
  run: Pick<RunRecord, 'id' | 'template' | 'identity'>;
  iteration: number;
  outcome: IterationOutcome;
  /** Of the step that failed; null when none did. */
  failedStep: number | null;
  failure: Failure | null;
  /** Null when nobody had to know the patient. */
  state: IterationState | null;
  intendedStartUs: number;
  nowUs: number;
  possiblyRepeated: boolean;
}

/** The row that ends an iteration: its account and the identities that were sent. */
export function terminalRow(ending: IterationEnding): IterationRow {
  const { run, iteration, state, failure } = ending;
  const { sutUs, ownUs, dicom, digest } = state?.accounts ?? noAccounts();
  return {
    runId: run.id,
    iteration,
    outcome: ending.outcome,
    failedStep: ending.failedStep,
    errorCode: failure?.code ?? null,
    error: failure?.message ?? null,
    endedAtMs: Math.floor(ending.nowUs / 1000),
    responseUs: Math.max(0, ending.nowUs - ending.intendedStartUs),
    sutUs,
    ownUs,
    ...(state ? identifiersOf(state) : startIdentifiers(run.template, run.identity, iteration)),
    studyInstanceUids: state?.studies.map((study) => study.studyInstanceUid) ?? [],
    dicom,
    digestLanes: toLanes(digest),
    possiblyRepeated: ending.possiblyRepeated,
  };
}

/** What is known of them by those who told of them wins. */
function identifiersOf(state: IterationState): StartIdentifiers {
  const told = toldOf(state);
  return {
    patientId: told?.patientId ?? state.patient.mrn,
    accessionNumber: told?.accessionNumber ?? state.order.accessionNumber,
  };
}
