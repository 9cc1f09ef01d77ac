import type { RunIdentity } from '../domain/identity.ts';
import { type IterationAccounts, type IterationState, noDicomAccounts } from '../domain/job.ts';
import { createDigestSum } from '../domain/manifest.ts';
import { accessionNumberAt, orderAt } from '../domain/orders.ts';
import { mrnAt, patientAt, visitAt } from '../domain/population.ts';
import type { Template } from '../domain/template.ts';

/** What an iteration (from 1) begins with: its patient and its order, nothing produced yet. */
export function startState(template: Template, identity: RunIdentity, iteration: number): IterationState {
  const { patientIndex } = visitAt(identity, iteration, template.returningShare);
  const patient = patientAt(identity, patientIndex, template.namePrefix);
  return {
    patient,
    order: orderAt(identity, iteration, patient, template),
    message: null,
    orderContext: null,
    worklistItem: null,
    performedStep: null,
    studies: [],
    unsent: null,
    accounts: noAccounts(),
  };
}

export function noAccounts(): IterationAccounts {
  return { sutUs: 0, ownUs: 0, dicom: noDicomAccounts(), digest: createDigestSum() };
}

/** Whose an iteration is, and what is ordered, by their numbers. */
export interface StartIdentifiers {
  patientId: string;
  accessionNumber: string;
}

/** Those of `startState`, without drawing the rest of it. */
export function startIdentifiers(
  template: Template,
  identity: RunIdentity,
  iteration: number,
): StartIdentifiers {
  const { patientIndex } = visitAt(identity, iteration, template.returningShare);
  return {
    patientId: mrnAt(identity, patientIndex),
    accessionNumber: accessionNumberAt(identity, iteration),
  };
}
