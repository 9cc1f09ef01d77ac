import type { StepType } from '../domain/template.ts';
import { dmwlFind } from './dmwl-find.ts';
import { generateDicom } from './generate-dicom.ts';
import { generateHl7 } from './generate-hl7.ts';
import { mppsUpdate } from './mpps-update.ts';
import { sendDicom } from './send-dicom.ts';
import { sendMllp } from './send-mllp.ts';
import type { StepHandler } from './step.ts';

/** The engine does the waiting, since it alone knows whether a consumer would be held by it. */
export type ExecutedStepType = Exclude<StepType, 'WAIT'>;

export const STEP_HANDLERS: { readonly [T in ExecutedStepType]: StepHandler<T> } = {
  GENERATE_HL7: generateHl7,
  SEND_MLLP: sendMllp,
  DMWL_FIND: dmwlFind,
  MPPS_UPDATE: mppsUpdate,
  GENERATE_DICOM: generateDicom,
  SEND_DICOM: sendDicom,
};
