import { SOP_CLASS } from '../uids.ts';
import { imageModules, imageOwn, seriesLaterality } from './common.ts';
import type { ImageIod } from './context.ts';
import { exposure } from './projection.ts';

const SOURCE_DETECTOR_MM = 1150;
const SOURCE_PATIENT_MM = 900;

/** X-Ray Radiofluoroscopic Image (PS3.3 section A.16, C.8.7). */
export const rfIod: ImageIod = {
  sopClassUid: SOP_CLASS.RF,
  shared: (context) => {
    const { format } = context;
    return {
      ...imageModules(context, SOP_CLASS.RF),
      ...seriesLaterality(context),
      ...exposure(context, 85),
      ImageType: ['ORIGINAL', 'PRIMARY', 'SINGLE PLANE'],
      PatientOrientation: ['L', 'F'],
      PixelIntensityRelationship: 'DISP',
      RadiationSetting: 'GR',
      RadiationMode: 'PULSED',
      ImagerPixelSpacing: [format.spacingMm, format.spacingMm],
      FieldOfViewShape: 'RECTANGLE',
      DistanceSourceToDetector: SOURCE_DETECTOR_MM,
      DistanceSourceToPatient: SOURCE_PATIENT_MM,
      EstimatedRadiographicMagnificationFactor:
        Math.round((SOURCE_DETECTOR_MM / SOURCE_PATIENT_MM) * 1e4) / 1e4,
      ColumnAngulation: 0,
      AcquisitionNumber: 1,
      WindowCenter: 2048,
      WindowWidth: 4096,
    };
  },
  own: (context, instanceNumber) => imageOwn(context, instanceNumber),
};
