import type { SeriesInput } from '../study.ts';
import type { Region } from './region.ts';

/** How the slices of a series lie in the patient. */
export type Plane = 'axial' | 'coronal' | 'sagittal';

/** From the description (AX, COR, SAG), else as the region is usually cut; reconstructions of axial slices are coronal. */
export function planeOf(series: SeriesInput, region: Region): Plane {
  const description = series.description.toUpperCase();
  if (/\bSAG/.test(description)) return 'sagittal';
  if (/\bCOR/.test(description)) return 'coronal';
  if (/\bAX|\bTRA/.test(description)) return 'axial';
  if (series.kind === 'reconstruction' || series.kind === 'localizer') return 'coronal';
  if (series.modality === 'MR' && (region === 'spine' || region === 'knee')) return 'sagittal';
  return 'axial';
}

/** Extent of the region along x (right to left), y (front to back) and z (feet to head), millimetres. */
const EXTENT_MM: Record<Region, readonly [number, number, number]> = {
  head: [150, 180, 160],
  chest: [300, 200, 300],
  abdomen: [300, 200, 320],
  pelvis: [320, 210, 260],
  spine: [80, 120, 280],
  hand: [100, 50, 180],
  knee: [90, 110, 150],
  breast: [300, 160, 160],
  wholebody: [400, 240, 900],
};

/** How deep a stack of slices has to be to cover the region, millimetres. */
export function depthOf(plane: Plane, region: Region): number {
  const [x, y, z] = EXTENT_MM[region];
  return plane === 'axial' ? z : plane === 'coronal' ? y : x;
}
