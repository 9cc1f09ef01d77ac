import type { DataSet } from '../dataset.ts';
import { SOP_CLASS } from '../uids.ts';
import { imageModules, imageOwn, seriesLaterality } from './common.ts';
import type { ImageContext, ImageIod } from './context.ts';

/** Ultrasound Image (PS3.3 section A.6, C.8.5), 8 bits grey. */
export const usIod: ImageIod = {
  sopClassUid: SOP_CLASS.US,
  shared: (context) => ({
    ...imageModules(context, SOP_CLASS.US),
    ...seriesLaterality(context),
    ImageType: ['ORIGINAL', 'PRIMARY', context.region === 'breast' ? 'BREAST' : 'ABDOMINAL', '0001'],
    PatientOrientation: null,
    TransducerType: 'CURVED LINEAR',
    TransducerData: ['C5-1', '', ''],
    UltrasoundColorDataPresent: 0,
    WindowCenter: 128,
    WindowWidth: 256,
    SequenceOfUltrasoundRegions: [tissueRegion(context)],
  }),
  own: (context, instanceNumber) => imageOwn(context, instanceNumber),
};

/** The calibrated two-dimensional tissue region (PS3.3 section C.8.5.5); units are centimetres a pixel. */
function tissueRegion({ format }: ImageContext): DataSet {
  return {
    RegionSpatialFormat: 1,
    RegionDataType: 1,
    RegionFlags: 0,
    RegionLocationMinX0: 0,
    RegionLocationMinY0: Math.floor(format.rows / 10),
    RegionLocationMaxX1: format.columns - 1,
    RegionLocationMaxY1: format.rows - 1,
    PhysicalUnitsXDirection: 3,
    PhysicalUnitsYDirection: 3,
    PhysicalDeltaX: format.spacingMm / 10,
    PhysicalDeltaY: format.spacingMm / 10,
    TransducerFrequency: 3500,
  };
}
