import type { DataSet } from '../dataset.ts';
import { mrWeighting } from '../pixels/weighting.ts';
import { SOP_CLASS } from '../uids.ts';
import { imageModules, imageOwn, seriesLaterality } from './common.ts';
import type { ImageContext, ImageIod } from './context.ts';
import { planeOwn, planeShared, sliceSpacingMm } from './geometry.ts';

/** MR Image (PS3.3 section A.4, C.8.3). */
export const mrIod: ImageIod = {
  sopClassUid: SOP_CLASS.MR,
  shared: (context) => ({
    ...imageModules(context, SOP_CLASS.MR),
    ...seriesLaterality(context),
    ...planeShared(context),
    ...acquisition(context),
    ImageType: ['ORIGINAL', 'PRIMARY', context.series.kind === 'localizer' ? 'LOCALIZER' : 'OTHER'],
    AcquisitionNumber: 1,
    WindowCenter: 800,
    WindowWidth: 1600,
    SpacingBetweenSlices: sliceSpacingMm(context),
  }),
  own: (context, instanceNumber) => ({
    ...imageOwn(context, instanceNumber),
    ...planeOwn(context, instanceNumber),
  }),
};

const TIMES = {
  T1: { repetitionMs: 550, echoMs: 12, train: 1 },
  T2: { repetitionMs: 4500, echoMs: 98, train: 15 },
  PD: { repetitionMs: 3000, echoMs: 28, train: 7 },
} as const;

function acquisition({ series, format, rng }: ImageContext): DataSet {
  const { repetitionMs, echoMs, train } = TIMES[mrWeighting(series)];
  const field = rng.pick([1.5, 1.5, 3]);
  return {
    ScanningSequence: 'SE',
    SequenceVariant: 'SK',
    ScanOptions: null,
    MRAcquisitionType: '2D',
    SequenceName: train > 1 ? `*tse2d1_${train}` : '*se2d1',
    AngioFlag: 'N',
    RepetitionTime: repetitionMs,
    EchoTime: echoMs,
    EchoTrainLength: train,
    NumberOfAverages: rng.int(1, 3),
    ImagingFrequency: Math.round(field * 42.577 * 1e4) / 1e4,
    ImagedNucleus: '1H',
    EchoNumbers: 1,
    MagneticFieldStrength: field,
    NumberOfPhaseEncodingSteps: format.rows,
    PercentSampling: 100,
    PercentPhaseFieldOfView: 100,
    PixelBandwidth: 130,
    AcquisitionMatrix: [0, format.columns, format.rows, 0],
    InPlanePhaseEncodingDirection: 'ROW',
    FlipAngle: train > 1 ? 150 : 90,
  };
}
