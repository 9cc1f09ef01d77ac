import { findWorklist, WORKLIST_CONTEXTS, type WorklistEntry } from '../dicom/worklist.ts';
import { toldOf } from '../domain/job.ts';
import { isModality } from '../domain/modality.ts';
import type { OrderContext } from '../domain/order.ts';
import { failure } from '../lib/errors.ts';
import { askDicom } from './ask-dicom.ts';
import { STEP_OK, type StepHandler } from './step.ts';

/**
 * Asks the worklist for the accession number of the patient's order, as the station that the order is for. Exactly
 * one item has to match; what it says wins over the order from here on.
 */
export const dmwlFind: StepHandler<'DMWL_FIND'> = async (step, call, environment) => {
  const { state } = call;
  const told = toldOf(state);
  const accessionNumber = told?.accessionNumber ?? state.order.accessionNumber;
  const asking = {
    ...step.parameters,
    callingAeTitle: told?.stationAeTitle ?? state.order.stationAeTitle,
    contexts: WORKLIST_CONTEXTS,
  };
  const found = await askDicom(asking, call, environment, (association) =>
    findWorklist(association, accessionNumber),
  );
  const [entry, another] = found.ok ? found.entries : [];
  const isOne = entry !== undefined && another === undefined;
  if (found.serviceUs !== undefined) environment.recorder.record('worklist_find', found.serviceUs, isOne);
  if (!found.ok) return failure(found.code, found.message, found.retryable);
  const where = `worklist of ${step.parameters.endpoint}, accession number ${accessionNumber}`;
  if (entry === undefined) {
    return failure(
      'WORKLIST_NO_MATCH',
      `${where}: no item; it may not be there yet, or the order did not reach it`,
    );
  }
  if (another !== undefined) {
    return failure('WORKLIST_SEVERAL', `${where}: more than one item, so that none can be chosen`);
  }
  state.worklistItem = toContext(entry);
  return STEP_OK;
};

function toContext({ description, scheduledStationAeTitle, modality, ...same }: WorklistEntry): OrderContext {
  return {
    ...same,
    studyDescription: description,
    stationAeTitle: scheduledStationAeTitle,
    // A modality that nothing is built for leaves the choice to the order.
    modality: modality !== null && isModality(modality) ? modality : null,
  };
}
