import type { Canvas } from './canvas.ts';
import type { PixelFormat } from './format.ts';
import { createNoise } from './noise.ts';
import type { Picture } from './picture.ts';

/**
 * Stored values of one frame in several variants that differ in their noise alone: the canvas at the format's
 * matrix, in the format's depth, written to `targets`, one for each variant.
 */
export function renderVariants(
  canvas: Canvas,
  format: PixelFormat,
  noise: Picture['noise'],
  seed: readonly (number | string)[],
  targets: readonly Uint8Array<ArrayBuffer>[],
): void {
  const { rows, columns, bitsAllocated, bitsStored } = format;
  const max = 2 ** bitsStored - 1;
  const line = new Float32Array(columns);
  const sigma = new Float32Array(columns).fill(noise.fixed);
  const variants = targets.map((target, variant) => ({
    stored:
      bitsAllocated === 16
        ? new Uint16Array(target.buffer, target.byteOffset, rows * columns)
        : new Uint8Array(target.buffer, target.byteOffset, rows * columns),
    noise: createNoise(...seed, variant),
  }));
  for (let row = 0; row < rows; row++) {
    sampleRow(canvas, row, rows, line);
    if (noise.share !== 0) {
      for (let column = 0; column < columns; column++) {
        sigma[column] = noise.fixed + noise.share * Math.sqrt(Math.max(line[column]!, 0));
      }
    }
    for (const { stored, noise: grain } of variants) {
      grain.addTo(line, sigma, stored, row * columns, max);
    }
  }
}

/** One row of the canvas, bilinearly between its points when it is coarser than the image. */
function sampleRow(canvas: Canvas, row: number, rows: number, line: Float32Array): void {
  const { width, height, values } = canvas;
  if (width === line.length && height === rows) {
    line.set(values.subarray(row * width, (row + 1) * width));
    return;
  }
  const y = Math.min(height - 1, Math.max(0, ((row + 0.5) * height) / rows - 0.5));
  const top = Math.floor(y) * width;
  const bottom = Math.min(height - 1, Math.floor(y) + 1) * width;
  const v = y - Math.floor(y);
  const scale = width / line.length;
  for (let column = 0; column < line.length; column++) {
    const x = Math.min(width - 1, Math.max(0, (column + 0.5) * scale - 0.5));
    const left = Math.floor(x);
    const right = left + 1 < width ? left + 1 : left;
    const u = x - left;
    const above = values[top + left]! * (1 - u) + values[top + right]! * u;
    const below = values[bottom + left]! * (1 - u) + values[bottom + right]! * u;
    line[column] = above * (1 - v) + below * v;
  }
}
