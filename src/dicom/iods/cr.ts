import { SOP_CLASS } from '../uids.ts';
import { imageModules, imageOwn, seriesLaterality } from './common.ts';
import type { ImageIod } from './context.ts';
import { exposure, projectionOrientation } from './projection.ts';

/** Computed Radiography Image (PS3.3 section A.2, C.8.1). */
export const crIod: ImageIod = {
  sopClassUid: SOP_CLASS.CR,
  shared: (context) => {
    const { format, series, rng } = context;
    const viewPosition = series.viewPosition ?? 'AP';
    const middle = 2 ** (format.bitsStored - 1);
    return {
      ...imageModules(context, SOP_CLASS.CR),
      ...seriesLaterality(context),
      ...exposure(context, context.region === 'chest' ? 110 : 60),
      ImageType: ['ORIGINAL', 'PRIMARY'],
      ViewPosition: viewPosition,
      PatientOrientation: projectionOrientation(viewPosition),
      ImagerPixelSpacing: [format.spacingMm, format.spacingMm],
      DistanceSourceToDetector: 1800,
      DistanceSourceToPatient: 1500,
      PlateID: `P${rng.int(1000, 9999)}`,
      CassetteSize: '35CMX43CM',
      Sensitivity: 200,
      AcquisitionNumber: 1,
      RescaleIntercept: 0,
      RescaleSlope: 1,
      RescaleType: 'US',
      WindowCenter: middle,
      WindowWidth: middle * 2,
    };
  },
  own: (context, instanceNumber) => imageOwn(context, instanceNumber),
};
