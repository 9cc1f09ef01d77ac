import type { DataSet } from '../dataset.ts';
import type { ImageContext } from './context.ts';

/** What digital X-ray images (DX, MG) have in common (PS3.3 section C.8.11). */
export function digitalXRay(context: ImageContext): DataSet {
  const { format } = context;
  const middle = 2 ** (format.bitsStored - 1);
  return {
    PresentationIntentType: 'FOR PRESENTATION',
    ImageType: ['ORIGINAL', 'PRIMARY', ''],
    PixelIntensityRelationship: 'LOG',
    PixelIntensityRelationshipSign: -1,
    RescaleIntercept: 0,
    RescaleSlope: 1,
    RescaleType: 'US',
    PresentationLUTShape: 'IDENTITY',
    WindowCenter: middle,
    WindowWidth: middle * 2,
    ImagerPixelSpacing: [format.spacingMm, format.spacingMm],
    ImageLaterality: context.laterality ?? 'U',
    DetectorType: 'DIRECT',
    DetectorConfiguration: 'AREA',
    DetectorID: context.study.station.name,
    FieldOfViewShape: 'RECTANGLE',
    FieldOfViewDimensions: fieldOfView(context),
    AcquisitionContextSequence: [],
    AcquisitionNumber: 1,
  };
}

function fieldOfView({ format }: ImageContext): number[] {
  return [Math.round(format.rows * format.spacingMm), Math.round(format.columns * format.spacingMm)];
}

/** X-ray generation (PS3.3 section C.8.7.2, C.8.11.2), as an exposure control might have set it. */
export function exposure({ rng }: ImageContext, kilovolt: number): DataSet {
  const milliampere = rng.pick([200, 250, 320, 400]);
  const exposureMs = rng.int(4, 60);
  const mas = (milliampere * exposureMs) / 1000;
  return {
    KVP: kilovolt,
    ExposureTime: exposureMs,
    XRayTubeCurrent: milliampere,
    Exposure: Math.max(1, Math.round(mas)),
    ExposureInuAs: Math.round(mas * 1000),
  };
}

/** Rows towards, columns towards; frontal unless the view is a lateral one. */
export function projectionOrientation(viewPosition: string): string[] {
  return viewPosition === 'LL' || viewPosition === 'RL' || viewPosition === 'LAT' ? ['A', 'F'] : ['L', 'F'];
}
