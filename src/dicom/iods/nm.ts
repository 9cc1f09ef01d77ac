import type { DataSet } from '../dataset.ts';
import { DICTIONARY } from '../dictionary.ts';
import { SOP_CLASS } from '../uids.ts';
import { code, imageModules, imageOwn, seriesLaterality } from './common.ts';
import type { ImageContext, ImageIod } from './context.ts';
import { patientOrientation } from './nuclear.ts';
import { dicomTime } from './time.ts';

/** Nuclear Medicine Image (PS3.3 section A.5, C.8.4): an anterior and a posterior frame, one energy window. */
export const nmIod: ImageIod = {
  sopClassUid: SOP_CLASS.NM,
  shared: (context) => ({
    ...imageModules(context, SOP_CLASS.NM),
    ...seriesLaterality(context),
    ...patientOrientation(),
    ...acquisition(context),
    PixelSpacing: [context.format.spacingMm, context.format.spacingMm],
    NumberOfFrames: context.format.frames,
    FrameIncrementPointer: [DICTIONARY.EnergyWindowVector[0], DICTIONARY.DetectorVector[0]],
    EnergyWindowVector: frames(context, () => 1),
    NumberOfEnergyWindows: 1,
    DetectorVector: frames(context, (frame) => frame + 1),
    NumberOfDetectors: context.format.frames,
    EnergyWindowInformationSequence: [
      {
        EnergyWindowName: 'Tc99m',
        EnergyWindowRangeSequence: [{ EnergyWindowLowerLimit: 129.5, EnergyWindowUpperLimit: 150.5 }],
      },
    ],
    RadiopharmaceuticalInformationSequence: [radiopharmaceutical(context)],
    DetectorInformationSequence: frames(context, () => ({
      CollimatorGridName: 'LEHR',
      CollimatorType: 'PARA',
      FieldOfViewShape: 'RECTANGLE',
      ImagePositionPatient: null,
      ImageOrientationPatient: null,
    })),
    WindowCenter: 28,
    WindowWidth: 56,
  }),
  own: (context, instanceNumber) => imageOwn(context, instanceNumber),
};

function frames<T>({ format }: ImageContext, make: (frame: number) => T): T[] {
  return Array.from({ length: format.frames }, (_, frame) => make(frame));
}

function acquisition({ region, format, rng }: ImageContext): DataSet {
  const wholeBody = region === 'wholebody';
  return {
    ImageType: ['ORIGINAL', 'PRIMARY', wholeBody ? 'WHOLE BODY' : 'STATIC', 'EMISSION'],
    CountsAccumulated: rng.int(800_000, 2_500_000),
    AcquisitionTerminationCondition: 'TIME',
    ActualFrameDuration: wholeBody ? 1_200_000 : 300_000,
    ...(wholeBody && {
      ScanVelocity: 2,
      ScanLength: Math.round(format.rows * format.spacingMm),
    }),
  };
}

function radiopharmaceutical({ startMs, rng }: ImageContext): DataSet {
  return {
    Radiopharmaceutical: 'Tc-99m HDP',
    RadiopharmaceuticalRoute: 'Intravenous route',
    RadiopharmaceuticalStartTime: dicomTime(startMs - 3 * 3_600_000),
    RadionuclideTotalDose: rng.int(500, 750),
    RadionuclideCodeSequence: [code('72454007', 'SCT', '^99m^Technetium')],
  };
}
