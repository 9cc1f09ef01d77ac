import { hash } from 'node:crypto';
import { type DataSet, encodeDataSet } from '../dicom/dataset.ts';
import { performedStepBegun, performedStepEnded } from '../dicom/iods/performed-step.ts';
import { MPPS_CONTEXTS, reportStep } from '../dicom/performed-step.ts';
import { placeOf } from '../domain/identity.ts';
import { type PerformedStep, toldOf } from '../domain/job.ts';
import { addDigest } from '../domain/manifest.ts';
import { planStudies } from '../domain/studies.ts';
import type { StudySpec } from '../domain/study-spec.ts';
import type { GenerateDicomParameters, StepOf } from '../domain/template.ts';
import { failure } from '../lib/errors.ts';
import { deriveUid } from '../lib/uid.ts';
import { askDicom } from './ask-dicom.ts';
import { STEP_OK, type StepCall, type StepEnvironment, type StepHandler } from './step.ts';
import { toStudyInput } from './study-factory.ts';

type MppsStep = StepOf<'MPPS_UPDATE'>;

/**
 * Reports the performed procedure step of the patient's first study: IN PROGRESS creates it, COMPLETED and DISCONTINUED
 * end the same one with the series and images that were made. The images refer to it.
 */
export const mppsUpdate: StepHandler<'MPPS_UPDATE'> = async (step, call, environment) => {
  const { state } = call;
  const { status, ...asking } = step.parameters;
  const isBegin = status === 'IN PROGRESS';
  if (!isBegin && state.performedStep === null) {
    const where = `step ${step.stepOrder} MPPS_UPDATE`;
    return failure(
      'TEMPLATE_INVALID',
      `${where}: there is no step to end: add one with mpps_status IN PROGRESS`,
    );
  }
  const study = studyOf(step, call, environment);
  const before = state.performedStep;
  const again = before?.status === status;
  const isNew = isBegin && !again;
  const performed: PerformedStep = {
    sopInstanceUid: isNew || before === null ? uidFor(step, call, environment) : before.sopInstanceUid,
    status,
    mayHaveArrived: call.mayRepeat || (again && before.mayHaveArrived),
  };
  state.performedStep = performed;
  if (isBegin) state.studies = referring(state.studies, study.studyInstanceUid, performed.sopInstanceUid);
  const input = toStudyInput(study);
  const dataSet = isBegin ? performedStepBegun(input) : performedStepEnded(input, status);
  if (!again) addDigest(state.accounts.digest, digestOf(performed.sopInstanceUid, dataSet));
  const report = { ...performed, operation: isBegin ? 'create' : 'set', dataSet } as const;
  const answer = await askDicom(
    { ...asking, callingAeTitle: study.station.aeTitle, contexts: MPPS_CONTEXTS },
    call,
    environment,
    (association) => reportStep(association, report),
  );
  if (answer.serviceUs !== undefined) environment.recorder.record('mpps', answer.serviceUs, answer.ok);
  if (answer.ok) return STEP_OK;
  // Sent and not answered: the next attempt may find it done.
  const isLost = answer.serviceUs !== undefined && answer.code !== 'DICOM_MPPS_FAILED';
  if (isLost) state.performedStep = { ...performed, mayHaveArrived: true };
  return failure(answer.code, answer.message, answer.retryable);
};

/** Repetitions and further steps have instances of their own. */
function uidFor({ stepOrder }: MppsStep, call: StepCall, { identity }: StepEnvironment): string {
  const place = placeOf(identity, call.iteration - 1);
  return deriveUid(identity.uidRoot, 'mpps', identity.seed, place, stepOrder, call.repetition);
}

/** The first study with all of its series; as it is going to be, when it is not there yet. */
function studyOf(step: MppsStep, { state, iteration }: StepCall, environment: StepEnvironment): StudySpec {
  const [first] = state.studies;
  if (first) {
    const parts = state.studies.filter((study) => study.studyInstanceUid === first.studyInstanceUid);
    return { ...first, series: parts.flatMap((study) => study.series) };
  }
  const { template, identity } = environment;
  const generate = template.steps.find(
    (later) => later.stepType === 'GENERATE_DICOM' && later.stepOrder > step.stepOrder,
  ) as StepOf<'GENERATE_DICOM'> | undefined;
  const [planned] = planStudies({
    identity,
    iteration,
    patient: state.patient,
    order: state.order,
    context: toldOf(state),
    parameters: generate?.parameters ?? NOTHING_MADE,
    stations: template.stations,
    occurrence: { stepOrder: generate?.stepOrder ?? step.stepOrder, repetition: 0 },
  });
  return { ...planned!, series: [] };
}

/** Of a step that is discontinued before anything was made. */
const NOTHING_MADE: GenerateDicomParameters = {
  count: 1,
  modality: null,
  studyDescription: null,
  generatePixels: false,
  burnPatientInfo: false,
  generateReport: false,
  store: 'stream',
};

/** Images that were made before the step was reported refer to it all the same. */
function referring(
  studies: readonly StudySpec[],
  studyInstanceUid: string,
  mppsInstanceUid: string,
): readonly StudySpec[] {
  return studies.map((study) =>
    study.studyInstanceUid === studyInstanceUid ? { ...study, mppsInstanceUid } : study,
  );
}

function digestOf(sopInstanceUid: string, dataSet: DataSet): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(sopInstanceUid), encodeDataSet(dataSet)]), 'buffer');
}
