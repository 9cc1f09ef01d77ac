import type { DataSet } from '../dataset.ts';
import { SOP_CLASS } from '../uids.ts';
import { code, imageModules, imageOwn, seriesLaterality } from './common.ts';
import type { ImageContext, ImageIod } from './context.ts';
import { planeOwn, planeShared } from './geometry.ts';
import { patientOrientation } from './nuclear.ts';
import { dicomTime } from './time.ts';

/** Positron Emission Tomography Image (PS3.3 section A.21, C.8.9): F-18 FDG, activity in Bq/ml. */
export const ptIod: ImageIod = {
  sopClassUid: SOP_CLASS.PT,
  shared: (context) => ({
    ...imageModules(context, SOP_CLASS.PT),
    ...seriesLaterality(context),
    ...planeShared(context, null),
    ...patientOrientation(),
    ...corrections(context),
    ImageType: ['ORIGINAL', 'PRIMARY'],
    Units: 'BQML',
    CountsSource: 'EMISSION',
    SeriesType: ['STATIC', 'IMAGE'],
    NumberOfSlices: context.series.instanceCount,
    CollimatorType: 'NONE',
    RescaleIntercept: 0,
    RescaleSlope: 2,
    ActualFrameDuration: 120_000,
    AcquisitionNumber: 1,
    WindowCenter: 5000,
    WindowWidth: 10_000,
    RadiopharmaceuticalInformationSequence: [radiopharmaceutical(context)],
  }),
  own: (context, instanceNumber) => ({
    ...imageOwn(context, instanceNumber),
    ...planeOwn(context, instanceNumber),
    FrameReferenceTime: 60_000,
    ImageIndex: instanceNumber,
    DecayFactor: 1.00634,
  }),
};

function corrections({ format }: ImageContext): DataSet {
  return {
    CorrectedImage: ['DECY', 'ATTN', 'SCAT', 'DTIM', 'RAN', 'NORM'],
    RandomsCorrectionMethod: 'DLYD',
    AttenuationCorrectionMethod: 'measured,CT',
    ScatterCorrectionMethod: 'model based',
    DecayCorrection: 'START',
    ReconstructionDiameter: Math.round(format.spacingMm * format.columns),
    ReconstructionMethod: 'OSEM 3i24s',
    ConvolutionKernel: 'XYZ Gauss 4.00',
    AcquisitionStartCondition: 'MANU',
    AcquisitionTerminationCondition: 'TIME',
  };
}

const F18_HALF_LIFE_S = 6586.2;

function radiopharmaceutical({ startMs, rng }: ImageContext): DataSet {
  return {
    Radiopharmaceutical: 'FDG',
    RadiopharmaceuticalRoute: 'Intravenous route',
    RadiopharmaceuticalStartTime: dicomTime(startMs - 3_600_000),
    RadionuclideTotalDose: rng.int(200, 400) * 1e6,
    RadionuclideHalfLife: F18_HALF_LIFE_S,
    RadionuclidePositronFraction: 0.97,
    RadionuclideCodeSequence: [code('77004003', 'SCT', '^18^Fluorine')],
    RadiopharmaceuticalCodeSequence: [code('35321007', 'SCT', 'Fluorodeoxyglucose F^18^')],
  };
}
