import type { Canvas } from '../canvas.ts';
import { cloud } from '../noise.ts';
import type { Plane } from '../plane.ts';
import type { Solid } from './solid.ts';
import { TISSUE_NAMES } from './tissue.ts';

export interface TissueMap {
  plane: Plane;
  /** Coordinate of the plane along its normal, millimetres. */
  offset: number;
  canvas: Canvas;
  /** Index of each pixel's tissue in `TISSUE_NAMES`. */
  tissues: Uint8Array;
}

/** Paints the solids that a plane meets, in their order. */
export function cut(body: readonly Solid[], canvas: Canvas, plane: Plane, offset: number): TissueMap {
  const map: TissueMap = { plane, offset, canvas, tissues: new Uint8Array(canvas.values.length) };
  for (const part of body) paint(map, part);
  return map;
}

/**
 * Row by row, each row from where it enters the solid to where it leaves: solving for both ends is many times quicker
 * than asking each pixel.
 */
function paint(map: TissueMap, part: Solid): void {
  const { plane, offset, canvas, tissues } = map;
  const [cx, cy, cz] = part.centre;
  const value = TISSUE_NAMES.indexOf(part.tissue);
  const reach = reachOf(part);
  const axial = plane === 'axial';
  const [normal, middle] = axial ? [2, cz] : plane === 'coronal' ? [1, cy] : [0, cx];
  if (Math.abs(offset - middle) >= reach[normal]!) return;
  // Rows run down the page: to the back in axial planes, to the feet in the others.
  const [centre, half] = axial ? [cy, reach[1]] : [-cz, reach[2]];
  const [first, end] = canvas.rowSpan(centre - half, centre + half);
  for (let row = first; row < end; row++) {
    const down = canvas.y(row);
    const dz = (axial ? offset : -down) - cz;
    const chord =
      plane === 'sagittal' ? alongY(part, offset - cx, dz) : alongX(part, (axial ? down : offset) - cy, dz);
    if (chord === null) continue;
    const start = plane === 'sagittal' ? cy : cx;
    const [from, to] = canvas.columnSpan(start + chord[0], start + chord[1]);
    if (part.rough === 0) tissues.fill(value, row * canvas.width + from, row * canvas.width + to);
    else paintRough(map, part, value, row, from, to);
  }
}

function reachOf({ radii: [rx, ry, rz], angle }: Solid): [number, number, number] {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return [Math.hypot(rx * cos, ry * sin), Math.hypot(rx * sin, ry * cos), rz];
}

/** Where a line along x enters and leaves, relative to the centre; null when it misses. */
function alongX(part: Solid, dy: number, dz: number): [number, number] | null {
  const {
    radii: [rx, ry, rz],
    power,
    angle,
  } = part;
  if (angle === 0) return symmetric(rx, dy / ry, dz / rz, power);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  // ((x cos + y sin) / rx)^2 + ((y cos - x sin) / ry)^2 + (z / rz)^2 = 1, solved for x.
  return solve(
    (cos / rx) ** 2 + (sin / ry) ** 2,
    2 * dy * cos * sin * (1 / rx ** 2 - 1 / ry ** 2),
    dy * dy * ((sin / rx) ** 2 + (cos / ry) ** 2) + (dz / rz) ** 2 - 1,
  );
}

function alongY(part: Solid, dx: number, dz: number): [number, number] | null {
  const {
    radii: [rx, ry, rz],
    power,
    angle,
  } = part;
  if (angle === 0) return symmetric(ry, dx / rx, dz / rz, power);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return solve(
    (sin / rx) ** 2 + (cos / ry) ** 2,
    2 * dx * cos * sin * (1 / rx ** 2 - 1 / ry ** 2),
    dx * dx * ((cos / rx) ** 2 + (sin / ry) ** 2) + (dz / rz) ** 2 - 1,
  );
}

function symmetric(radius: number, u: number, v: number, power: number): [number, number] | null {
  const left = power === 2 ? 1 - u * u - v * v : 1 - Math.abs(u) ** power - Math.abs(v) ** power;
  if (left <= 0) return null;
  const half = radius * (power === 2 ? Math.sqrt(left) : left ** (1 / power));
  return [-half, half];
}

function solve(a: number, b: number, c: number): [number, number] | null {
  const discriminant = b * b - 4 * a * c;
  if (discriminant <= 0) return null;
  const root = Math.sqrt(discriminant);
  return [(-b - root) / (2 * a), (-b + root) / (2 * a)];
}

/** Millimetres from one bump of a rough surface to the next, about. */
const BUMP_MM = 11;

/** Roughness only takes away, so that nothing grows out of what surrounds it. */
function paintRough(map: TissueMap, part: Solid, value: number, row: number, from: number, to: number): void {
  const { plane, offset, canvas, tissues } = map;
  const {
    radii: [rx, ry, rz],
    power,
    rough,
    angle,
  } = part;
  const [cx, cy, cz] = part.centre;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const down = canvas.y(row);
  for (let column = from; column < to; column++) {
    const across = canvas.x(column);
    const x = plane === 'sagittal' ? offset : across;
    const y = plane === 'axial' ? down : plane === 'coronal' ? offset : across;
    const z = plane === 'axial' ? offset : -down;
    const [dx, dy, dz] = [x - cx, y - cy, z - cz];
    const d =
      Math.abs((dx * cos + dy * sin) / rx) ** power +
      Math.abs((dy * cos - dx * sin) / ry) ** power +
      Math.abs(dz / rz) ** power;
    // Deep inside no bump reaches.
    const rim = (1 - 2 * rough) ** power;
    if (d > rim) {
      const seed = value + (cx < 0 ? 50 : 0);
      const bump =
        cloud(seed, x / BUMP_MM + z / 31, y / BUMP_MM - z / 17, 2) + cloud(seed + 9, z / BUMP_MM, x / 23, 1);
      if (d > (1 - rough * (1 + Math.max(-1, Math.min(1, bump * 1.4)))) ** power) continue;
    }
    tissues[row * canvas.width + column] = value;
  }
}
