import { type IterationState, toldOf } from '../domain/job.ts';
import { toLanes } from '../domain/manifest.ts';
import type { Failure } from '../lib/errors.ts';
import type { IterationOutcome, IterationRow } from '../storage/port.ts';

export interface IterationEnding {
  runId: number;
  iteration: number;
  outcome: IterationOutcome;
  /** Of the step that failed; null when none did. */
  failedStep: number | null;
  failure: Failure | null;
  state: IterationState;
  intendedStartUs: number;
  nowUs: number;
  possiblyRepeated: boolean;
}

/** The row that ends an iteration: its account and the identities that were sent. */
export function terminalRow(ending: IterationEnding): IterationRow {
  const { state, failure } = ending;
  const { accounts, studies } = state;
  const told = toldOf(state);
  return {
    runId: ending.runId,
    iteration: ending.iteration,
    outcome: ending.outcome,
    failedStep: ending.failedStep,
    errorCode: failure?.code ?? null,
    error: failure?.message ?? null,
    endedAtMs: Math.floor(ending.nowUs / 1000),
    responseUs: Math.max(0, ending.nowUs - ending.intendedStartUs),
    sutUs: accounts.sutUs,
    ownUs: accounts.ownUs,
    patientId: told?.patientId ?? state.patient.mrn,
    accessionNumber: told?.accessionNumber ?? state.order.accessionNumber,
    studyInstanceUids: studies.map((study) => study.studyInstanceUid),
    dicom: accounts.dicom,
    digestLanes: toLanes(accounts.digest),
    possiblyRepeated: ending.possiblyRepeated,
  };
}
