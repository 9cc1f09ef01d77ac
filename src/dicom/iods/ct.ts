import type { DataSet } from '../dataset.ts';
import type { Region } from '../pixels/region.ts';
import { SOP_CLASS } from '../uids.ts';
import { code, imageModules, imageOwn, seriesLaterality } from './common.ts';
import type { ImageContext, ImageIod } from './context.ts';
import { planeOwn, planeShared } from './geometry.ts';

/** CT Image (PS3.3 section A.3, C.8.2). Stored values are Hounsfield units plus 1024. */
export const ctIod: ImageIod = {
  sopClassUid: SOP_CLASS.CT,
  shared: (context) => ({
    ...imageModules(context, SOP_CLASS.CT),
    ...seriesLaterality(context),
    ...planeShared(context),
    ...acquisition(context),
    ImageType: imageType(context),
    RescaleIntercept: -1024,
    RescaleSlope: 1,
    RescaleType: context.series.kind === 'localizer' ? 'US' : 'HU',
    AcquisitionNumber: 1,
  }),
  own: (context, instanceNumber) => ({
    ...imageOwn(context, instanceNumber),
    ...planeOwn(context, instanceNumber),
  }),
};

function imageType({ series }: ImageContext): string[] {
  if (series.kind === 'localizer') return ['ORIGINAL', 'PRIMARY', 'LOCALIZER'];
  if (series.kind === 'reconstruction') return ['DERIVED', 'SECONDARY', 'MPR'];
  return ['ORIGINAL', 'PRIMARY', 'AXIAL'];
}

const WINDOWS: Partial<Record<Region, readonly [number, number]>> = {
  head: [40, 80],
  chest: [-50, 1400],
  spine: [300, 1500],
};

function acquisition({ region, series, rng, format }: ImageContext): DataSet {
  const milliampere = rng.int(120, 380);
  const exposureMs = rng.pick([330, 500, 750]);
  const [center, width] = series.kind === 'localizer' ? [-100, 1300] : (WINDOWS[region] ?? [50, 400]);
  return {
    WindowCenter: center,
    WindowWidth: width,
    KVP: rng.pick([100, 120, 120, 140]),
    DataCollectionDiameter: 500,
    ReconstructionDiameter: Math.round(format.spacingMm * format.columns),
    DistanceSourceToDetector: 1085.6,
    DistanceSourceToPatient: 595,
    GantryDetectorTilt: 0,
    TableHeight: 140,
    RotationDirection: 'CW',
    ExposureTime: exposureMs,
    XRayTubeCurrent: milliampere,
    Exposure: Math.round((milliampere * exposureMs) / 1000),
    FilterType: 'BODY FILTER',
    GeneratorPower: 60,
    FocalSpots: 1.2,
    ConvolutionKernel: region === 'head' ? 'H30s' : 'B30f',
    CTDIPhantomTypeCodeSequence: [code('113691', 'DCM', 'IEC Body Dosimetry Phantom')],
    CTDIvol: Math.round(rng.float() * 2000) / 100 + 5,
  };
}
