import { SOP_CLASS } from '../uids.ts';
import { anatomicRegion } from './anatomy-codes.ts';
import { imageModules, imageOwn } from './common.ts';
import type { ImageIod } from './context.ts';
import { digitalXRay, exposure, projectionOrientation } from './projection.ts';

/** Digital X-Ray Image, For Presentation (PS3.3 section A.26, C.8.11). */
export const dxIod: ImageIod = {
  sopClassUid: SOP_CLASS.DX,
  shared: (context) => {
    const viewPosition = context.series.viewPosition ?? 'AP';
    return {
      ...imageModules(context, SOP_CLASS.DX),
      ...digitalXRay(context),
      ...exposure(context, context.region === 'chest' ? 120 : 60),
      ViewPosition: viewPosition,
      PatientOrientation: projectionOrientation(viewPosition),
      AnatomicRegionSequence: [anatomicRegion(context.region)],
      DistanceSourceToDetector: context.region === 'chest' ? 1800 : 1100,
      DistanceSourceToPatient: context.region === 'chest' ? 1500 : 1050,
      PositionerType: 'NONE',
    };
  },
  own: (context, instanceNumber) => imageOwn(context, instanceNumber),
};
