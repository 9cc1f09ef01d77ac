import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
import { cloud, createNoise } from '../noise.ts';
import type { Region } from '../region.ts';

/** A B-mode image: speckle along arcs, structures by their echoes, the transducer above. */
export function drawUltrasound(region: Region, format: PixelFormat, position: number): Canvas {
  const canvas = new Canvas(format.columns, format.rows, 1);
  const linear = region === 'breast' || region === 'head' || region === 'hand' || region === 'knee';
  if (linear) drawLinear(canvas, position);
  else drawSector(canvas, position);
  drawScale(canvas);
  return canvas;
}

/** Speckle: random reflectors, smeared across the beam more than along it. */
interface Speckle {
  at(depth: number, across: number): number;
}

const SPECKLE_DEPTHS = 512;
const SPECKLE_LINES = 256;

function createSpeckle(position: number): Speckle {
  const field = new Canvas(SPECKLE_LINES, SPECKLE_DEPTHS, 1);
  const { normal } = createNoise('speckle', position);
  for (let i = 0; i < field.values.length; i++) {
    const a = normal();
    const b = normal();
    field.values[i] = Math.hypot(a, b);
  }
  return {
    at: (depth, across) => {
      const row = Math.min(SPECKLE_DEPTHS - 2, Math.max(0, depth * (SPECKLE_DEPTHS - 1)));
      const column = Math.min(SPECKLE_LINES - 2, Math.max(0, across * (SPECKLE_LINES - 1)));
      const i = Math.floor(row) * SPECKLE_LINES + Math.floor(column);
      const [u, v] = [column % 1, row % 1];
      const { values } = field;
      const top = values[i]! * (1 - u) + values[i + 1]! * u;
      const bottom = values[i + SPECKLE_LINES]! * (1 - u) + values[i + SPECKLE_LINES + 1]! * u;
      return top * (1 - v) + bottom * v;
    },
  };
}

const SECTOR_HALF_ANGLE = 0.62;

/** A curved transducer on the abdomen: liver, kidney, vessels, diaphragm. */
function drawSector(canvas: Canvas, position: number): void {
  const speckle = createSpeckle(position);
  const apexY = -canvas.height / 2 - 60;
  const [near, far] = [130, canvas.height + 40];
  canvas.all((index, x, y) => {
    const r = Math.hypot(x, y - apexY);
    const angle = Math.atan2(x, y - apexY);
    if (r < near || r > far || Math.abs(angle) > SECTOR_HALF_ANGLE) return;
    const depth = (r - near) / (far - near);
    const across = angle / (2 * SECTOR_HALF_ANGLE) + 0.5;
    const echo = liverEcho(x, y, depth, position);
    canvas.values[index] = compress(echo * (0.25 + 0.75 * speckle.at(depth, across)) * (1.1 - 0.55 * depth));
  });
}

/** Relative echo strength: 1 is liver. */
function liverEcho(x: number, y: number, depth: number, position: number): number {
  const shift = (position - 3) * 14;
  if (depth < 0.03) return 2.6;
  if (depth < 0.12) return 0.8 + 1.2 * Math.max(0, cloud(2, x / 60, depth * 60, 2));
  const kidney =
    Math.hypot((x - 95 - shift) * 0.93 + (y - 90) * 0.36, ((y - 90) * 0.93 - (x - 95 - shift) * 0.36) * 1.9) /
    118;
  if (kidney < 0.42) return 1.9 + 0.8 * cloud(4, x / 14, y / 14, 2);
  if (kidney < 0.97) return 0.5 + 0.12 * cloud(5, x / 16, y / 16, 2);
  if (kidney < 1.03) return 2.2;
  const bladder = Math.hypot((x + 80 - shift) / 48, (y + 58) / 30);
  if (bladder < 1) return 0.03;
  if (bladder < 1.12) return 1.8;
  const vein = Math.abs(y - 20 + 0.35 * (x + 120) + 12 * Math.sin(x / 50 + position));
  if (vein < 8 && x < 20) return 0.06;
  if (vein < 11 && x < 20) return 1.7;
  const dome = Math.hypot((x + 20) / 330, (y + 90 + shift * 0.4) / 320);
  if (Math.abs(dome - 1) < 0.016) return 4.5;
  if (dome > 1) return 0.35;
  // Behind fluid the echoes are stronger.
  const enhanced = y > -58 && Math.abs(x + 80 - shift) < 40 + depth * 20 ? 1.45 : 1;
  return enhanced * (1 + 0.25 * cloud(6, x / 40, y / 40, 3));
}

/** A flat transducer on a superficial organ: skin, fat, gland with a nodule, muscle. */
function drawLinear(canvas: Canvas, position: number): void {
  const speckle = createSpeckle(position);
  const top = -canvas.height * 0.4;
  canvas.box([-300, top, 300, canvas.height * 0.47], (index, x, y) => {
    const depth = (y - top) / (canvas.height * 0.87);
    const echo = glandEcho(x, y, depth + 0.02 * cloud(8, x / 90, position, 2), position);
    const value = echo * (0.25 + 0.75 * speckle.at(depth, (x + 300) / 600)) * (1.1 - 0.5 * depth);
    canvas.values[index] = compress(value);
  });
}

function glandEcho(x: number, y: number, depth: number, position: number): number {
  if (depth < 0.05) return 2.6;
  if (depth < 0.2) return 0.5 + 0.9 * Math.max(0, cloud(12, x / 90, y / 12, 2));
  const nodule = Math.hypot((x - 20 + position * 9) / 88, (y + 4) / 52) + 0.06 * cloud(14, x / 25, y / 25, 2);
  if (nodule < 0.97) return 0.2;
  if (nodule < 1.05) return 1.6;
  if (depth > 0.78) return 0.6 + 0.9 * Math.max(0, cloud(13, x / 160, y / 7, 2));
  if (depth > 0.75) return 2.2;
  return 1.2 + 0.35 * cloud(15, x / 30, y / 20, 3);
}

/** The logarithm that B-mode displays show. */
function compress(echo: number): number {
  return Math.max(0, 118 + 78 * Math.log10(Math.max(echo, 1e-3)));
}

/** Depth marks at the right and the grey bar at the left, as machines print them. */
function drawScale(canvas: Canvas): void {
  const right = canvas.width / 2 - 14;
  for (let y = -canvas.height / 2 + 70; y < canvas.height / 2 - 10; y += 33)
    canvas.box([right, y, right + 6, y], (index) => {
      canvas.values[index] = 200;
    });
  const left = -canvas.width / 2 + 16;
  canvas.box([left, -120, left + 10, 120], (index, _x, y) => {
    canvas.values[index] = 128 - y;
  });
}
