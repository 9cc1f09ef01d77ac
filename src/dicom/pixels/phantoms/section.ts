import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
import { cloud } from '../noise.ts';
import { depthOf, type Plane } from '../plane.ts';
import type { Region } from '../region.ts';
import { bodyOf } from './bodies.ts';
import { cut, type TissueMap } from './cut.ts';
import { TISSUE_NAMES, TISSUES, type Tissue } from './tissue.ts';

export type Contrast = 'CT' | 'T1' | 'T2' | 'PD' | 'PT';

/**
 * A cut through the region's body as CT, MR or PET shows it.
 * @param depth 0 to 1 through the region: from the feet, the front, or the right
 */
export function drawSection(
  region: Region,
  format: PixelFormat,
  plane: Plane,
  contrast: Contrast,
  depth: number,
): Canvas {
  const canvas = new Canvas(format.columns, format.rows, format.spacingMm);
  const offset = (depth - 0.5) * depthOf(plane, region);
  const map = cut(bodyOf(region), canvas, plane, offset);
  if (contrast === 'CT' && plane === 'axial' && region !== 'head') addCouch(map);
  shade(map, contrast);
  canvas.blur(contrast === 'PT' ? 5 : 0.9 * format.spacingMm);
  return canvas;
}

const COUCH = TISSUE_NAMES.indexOf('couch');

function addCouch({ canvas, tissues }: TissueMap): void {
  canvas.box([-200, 100, 200, 200], (index, x, y) => {
    const top = 128 - (x * x) / 900;
    if (tissues[index] === 0 && Math.abs(y - top) < 2.5) tissues[index] = COUCH;
  });
}

/** Stored value of zero Hounsfield units, as Rescale Intercept says. */
const HU_OFFSET = 1024;

function shade({ canvas, tissues, offset }: TissueMap, contrast: Contrast): void {
  const values = TISSUE_NAMES.map((name) => tissueValue(name, contrast));
  const textures = TISSUE_NAMES.map((name) => TISSUES[name].texture);
  const isMr = contrast !== 'CT' && contrast !== 'PT';
  canvas.all((index, x, y) => {
    const tissue = tissues[index]!;
    let value = values[tissue]!;
    const texture = textures[tissue]!;
    if (texture > 0) {
      const uneven = texture * cloud(tissue, x / 5 + offset / 11, y / 5 - offset / 13, 3);
      value += uneven * (contrast === 'CT' ? 100 : value);
    }
    // A receive coil is more sensitive near the surface.
    if (isMr) value *= 0.9 + 0.25 * Math.min(1, (x * x + y * y) / 14_000);
    canvas.values[index] = value;
  });
}

function tissueValue(name: Tissue, contrast: Contrast): number {
  const tissue = TISSUES[name];
  switch (contrast) {
    case 'CT':
      return tissue.hu + HU_OFFSET;
    case 'T1':
      return tissue.t1;
    case 'T2':
      return tissue.t2;
    case 'PD':
      return tissue.pd;
    case 'PT':
      return tissue.pt;
  }
}
