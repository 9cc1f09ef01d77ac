import type { DataSet } from '../dataset.ts';
import { mammographyView } from '../pixels/mammography-view.ts';
import { SOP_CLASS } from '../uids.ts';
import { code, imageModules, imageOwn } from './common.ts';
import type { ImageContext, ImageIod } from './context.ts';
import { digitalXRay, exposure } from './projection.ts';

/** Digital Mammography X-Ray Image, For Presentation (PS3.3 section A.27, C.8.11.7). */
export const mgIod: ImageIod = {
  sopClassUid: SOP_CLASS.MG,
  shared: (context) => ({
    ...imageModules(context, SOP_CLASS.MG),
    ...digitalXRay(context),
    ...exposure(context, 29),
    ...positioning(context),
    ...compression(context),
    AnatomicRegionSequence: [code('76752008', 'SCT', 'Breast')],
    OrganExposed: 'BREAST',
    BodyPartExamined: 'BREAST',
  }),
  own: (context, instanceNumber) => imageOwn(context, instanceNumber),
};

const VIEW_CODES = {
  CC: code('399162004', 'SCT', 'cranio-caudal'),
  MLO: code('399368009', 'SCT', 'medio-lateral oblique'),
} as const;

function positioning({ series }: ImageContext): DataSet {
  const { view, laterality } = mammographyView(series);
  const oblique = view === 'MLO';
  return {
    ImageLaterality: laterality,
    ViewPosition: view,
    ViewCodeSequence: [{ ...VIEW_CODES[view], ViewModifierCodeSequence: [] }],
    PatientOrientation: laterality === 'R' ? ['P', oblique ? 'FL' : 'L'] : ['A', oblique ? 'FR' : 'R'],
    PositionerType: 'MAMMOGRAPHIC',
    PositionerPrimaryAngle: oblique ? (laterality === 'R' ? -45 : 45) : 0,
    DistanceSourceToDetector: 660,
    DistanceSourceToPatient: 600,
    EstimatedRadiographicMagnificationFactor: 1.1,
    PartialView: 'NO',
    BreastImplantPresent: 'NO',
  };
}

function compression({ rng }: ImageContext): DataSet {
  return {
    BodyPartThickness: rng.int(35, 75),
    CompressionForce: rng.int(70, 140),
    AnodeTargetMaterial: 'TUNGSTEN',
    FilterMaterial: 'RHODIUM',
    FocalSpots: 0.3,
    Grid: ['RECIPROCATING', 'FOCUSED'],
    ExposureControlMode: 'AUTOMATIC',
    EntranceDoseInmGy: rng.int(30, 80) / 10,
    OrganDose: rng.int(80, 200) / 10_000,
  };
}
