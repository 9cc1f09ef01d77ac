import type { DataSet } from '../dataset.ts';
import type { PixelFormat } from '../pixels/format.ts';
import { depthOf, type Plane } from '../pixels/plane.ts';
import type { ImageContext } from './context.ts';

/** Frame of Reference and Image Plane (PS3.3 sections C.7.4.1, C.7.6.2): parallel slices, evenly spaced. */

const ORIENTATION: Record<Plane, readonly number[]> = {
  axial: [1, 0, 0, 0, 1, 0],
  coronal: [1, 0, 0, 0, 0, -1],
  sagittal: [0, 1, 0, 0, 0, -1],
};

/** @param patientPosition null where the patient's orientation is given by codes instead */
export function planeShared(context: ImageContext, patientPosition: string | null = 'HFS'): DataSet {
  const { format, plane } = context;
  return {
    FrameOfReferenceUID: context.frameOfReferenceUid,
    PositionReferenceIndicator: null,
    ...(patientPosition && { PatientPosition: patientPosition }),
    ImageOrientationPatient: ORIENTATION[plane],
    PixelSpacing: [format.spacingMm, format.spacingMm],
    SliceThickness: sliceSpacingMm(context),
  };
}

export function planeOwn(
  context: ImageContext,
  instanceNumber: number,
): Pick<DataSet, 'ImagePositionPatient' | 'SliceLocation'> {
  const { format, plane } = context;
  const location = sliceLocationMm(context, instanceNumber);
  return { ImagePositionPatient: corner(plane, format, location), SliceLocation: location };
}

/** Slices cover the region's depth whatever their number; two decimals, as scanners give it. */
export function sliceSpacingMm({ series, region, plane }: ImageContext): number {
  const depth = depthOf(plane, region);
  return Math.max(0.1, Math.round((depth / series.instanceCount) * 100) / 100);
}

function sliceLocationMm(context: ImageContext, instanceNumber: number): number {
  const spacing = sliceSpacingMm(context);
  const first = (-spacing * (context.series.instanceCount - 1)) / 2;
  return round3(first + spacing * (instanceNumber - 1));
}

/** The centre of the first pixel transmitted; the field of view is centred on the origin. */
function corner(plane: Plane, format: PixelFormat, location: number): number[] {
  const x = round3((-(format.columns - 1) * format.spacingMm) / 2);
  const y = round3((-(format.rows - 1) * format.spacingMm) / 2);
  switch (plane) {
    case 'axial':
      return [x, y, location];
    case 'coronal':
      return [x, location, -y];
    case 'sagittal':
      return [location, x, -y];
  }
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
