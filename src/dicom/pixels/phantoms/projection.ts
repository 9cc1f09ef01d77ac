import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
import { depthOf } from '../plane.ts';
import type { Region } from '../region.ts';
import { bodyOf } from './bodies.ts';
import { cut } from './cut.ts';
import { TISSUE_NAMES, TISSUES } from './tissue.ts';

/** X-rays through the same bodies that the sections cut: attenuation summed along parallel rays. */

/** Canvas of a projection: coarser than the image, whose own sharpness a focal spot would not reach either. */
const CANVAS_EDGE = 512;

export interface ProjectionOptions {
  /** How much more bone weighs than water at the tube's voltage. @default 1 */
  boneWeight?: number;
  stepMm?: number;
}

/** @returns attenuation in millimetres of water */
export function project(
  region: Region,
  format: PixelFormat,
  direction: 'coronal' | 'sagittal',
  { boneWeight = 1, stepMm = 4 }: ProjectionOptions = {},
): Canvas {
  const body = bodyOf(region);
  const coarser = Math.max(1, Math.max(format.rows, format.columns) / CANVAS_EDGE);
  const size = [Math.round(format.columns / coarser), Math.round(format.rows / coarser)] as const;
  const canvas = new Canvas(size[0], size[1], (format.spacingMm * format.columns) / size[0]);
  const weights = TISSUE_NAMES.map((name) => attenuation(TISSUES[name].hu, boneWeight) * stepMm);
  // Bodies reach beyond what is usually cut.
  const reach = Math.max(130, depthOf(direction, region) / 2 + 40);
  for (let offset = -reach; offset <= reach; offset += stepMm) {
    const { tissues } = cut(body, canvas, direction, offset);
    for (let i = 0; i < tissues.length; i++) canvas.values[i]! += weights[tissues[i]!]!;
  }
  return canvas;
}

function attenuation(hu: number, boneWeight: number): number {
  const density = (hu + 1000) / 1000;
  return hu > 200 ? density * boneWeight : density;
}

/** The value below which a share of all values lies. */
export function quantile(values: Float32Array, share: number): number {
  const every = Math.max(1, Math.floor(values.length / 20_000));
  const sample = values.filter((_, index) => index % every === 0).sort();
  return sample[Math.min(sample.length - 1, Math.floor(share * sample.length))]!;
}
