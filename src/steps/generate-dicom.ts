import { toldOf } from '../domain/job.ts';
import { planStudies } from '../domain/studies.ts';
import { failure, toYeeterError } from '../lib/errors.ts';
import { STEP_OK, type StepHandler } from './step.ts';

/** Specifies the studies of the order, and writes their files when the step says `store: disk`. */
export const generateDicom: StepHandler<'GENERATE_DICOM'> = async (step, call, environment) => {
  const { state, iteration, repetition } = call;
  const { performedStep } = state;
  const planned = planStudies({
    identity: environment.identity,
    iteration,
    patient: state.patient,
    order: state.order,
    context: toldOf(state),
    parameters: step.parameters,
    stations: environment.template.stations,
    // Images made after the step has ended are none of it.
    mppsInstanceUid: performedStep?.status === 'IN PROGRESS' ? performedStep.sopInstanceUid : null,
    occurrence: { stepOrder: step.stepOrder, repetition },
  });
  for (const study of planned) await environment.studies.prepare(study);
  // A repetition adds series to the studies that the ones before have planned.
  state.studies = repetition === 0 ? planned : [...state.studies, ...planned];
  state.unsent = null;
  if (step.parameters.store === 'stream') return STEP_OK;
  if (environment.studyDir === null) {
    const where = `step ${step.stepOrder} GENERATE_DICOM`;
    return failure('CONFIG_INVALID', `${where}: store is "disk" and this process has no folder for studies`);
  }
  try {
    for (const study of planned) await environment.studies.write(study, environment.studyDir);
    return STEP_OK;
  } catch (thrown) {
    const error = toYeeterError(thrown);
    return failure(error.code, error.message, error.retryable);
  }
};
