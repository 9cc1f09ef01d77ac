import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
import { cloud } from '../noise.ts';
import { depthOf, type Plane } from '../plane.ts';
import type { Region } from '../region.ts';
import { bodyOf } from './bodies.ts';
import type { Solid } from './solid.ts';
import { TISSUE_NAMES, TISSUES, type Tissue } from './tissue.ts';

export type Contrast = 'CT' | 'T1' | 'T2' | 'PD' | 'PT';

/** Index of each pixel's tissue in `TISSUE_NAMES`. */
interface TissueMap {
  plane: Plane;
  /** Coordinate of the plane along its normal, millimetres. */
  offset: number;
  canvas: Canvas;
  tissues: Uint8Array;
}

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

/** Paints the solids that the plane meets. */
export function cut(body: readonly Solid[], canvas: Canvas, plane: Plane, offset: number): TissueMap {
  const map: TissueMap = { plane, offset, canvas, tissues: new Uint8Array(canvas.values.length) };
  for (const part of body) paint(map, part);
  return map;
}

function paint({ plane, offset, canvas, tissues }: TissueMap, part: Solid): void {
  const { power, rough, angle } = part;
  const [cx, cy, cz] = part.centre;
  const [rx, ry, rz] = part.radii;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  // Roughness can push the surface out by its share.
  const grow = 1 + rough;
  const reachX =
    grow * (power > 2 ? Math.abs(rx * cos) + Math.abs(ry * sin) : Math.hypot(rx * cos, ry * sin));
  const reachY =
    grow * (power > 2 ? Math.abs(rx * sin) + Math.abs(ry * cos) : Math.hypot(rx * sin, ry * cos));
  const reachZ = grow * rz;
  const value = TISSUE_NAMES.indexOf(part.tissue);
  const distance = distanceFunction(power);
  const inside = (x: number, y: number, z: number): boolean => {
    const dx = x - cx;
    const dy = y - cy;
    const d = distance((dx * cos + dy * sin) / rx, (dy * cos - dx * sin) / ry, (z - cz) / rz);
    if (rough === 0) return d < 1;
    return (
      d < (1 + rough * 2.4 * cloud(value + (cx < 0 ? 7 : 0), x / 13 + z / 29, y / 13 - z / 37, 2)) ** power
    );
  };
  switch (plane) {
    case 'axial':
      if (Math.abs(offset - cz) >= reachZ) return;
      canvas.box([cx - reachX, cy - reachY, cx + reachX, cy + reachY], (index, x, y) => {
        if (inside(x, y, offset)) tissues[index] = value;
      });
      return;
    case 'coronal':
      if (Math.abs(offset - cy) >= reachY) return;
      canvas.box([cx - reachX, -cz - reachZ, cx + reachX, -cz + reachZ], (index, x, v) => {
        if (inside(x, offset, -v)) tissues[index] = value;
      });
      return;
    case 'sagittal':
      if (Math.abs(offset - cx) >= reachX) return;
      canvas.box([cy - reachY, -cz - reachZ, cy + reachY, -cz + reachZ], (index, y, v) => {
        if (inside(offset, y, -v)) tissues[index] = value;
      });
      return;
  }
}

function distanceFunction(power: number): (u: number, v: number, w: number) => number {
  if (power === 2) return (u, v, w) => u * u + v * v + w * w;
  return (u, v, w) => Math.abs(u) ** power + Math.abs(v) ** power + Math.abs(w) ** power;
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
