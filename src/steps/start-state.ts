import type { RunIdentity } from '../domain/identity.ts';
import { type IterationState, noDicomAccounts } from '../domain/job.ts';
import { createDigestSum } from '../domain/manifest.ts';
import { orderAt } from '../domain/orders.ts';
import { patientAt, visitAt } from '../domain/population.ts';
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
    accounts: {
      sutUs: 0,
      ownUs: 0,
      dicom: noDicomAccounts(),
      digest: createDigestSum(),
    },
  };
}
