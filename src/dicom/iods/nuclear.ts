import type { DataSet } from '../dataset.ts';
import { code } from './common.ts';

/** NM/PET Patient Orientation (PS3.3 section C.8.4.6): lying on the back, head first. */
export function patientOrientation(): DataSet {
  return {
    PatientOrientationCodeSequence: [
      {
        ...code('102538003', 'SCT', 'recumbent'),
        PatientOrientationModifierCodeSequence: [code('40199007', 'SCT', 'supine')],
      },
    ],
    PatientGantryRelationshipCodeSequence: [code('102540008', 'SCT', 'headfirst')],
  };
}
