import type { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
import { cloud } from '../noise.ts';
import type { Region } from '../region.ts';
import { drawHand } from './hand.ts';
import { project, quantile } from './projection.ts';

/** A radiograph for presentation: bone white, air black, as the region is usually windowed. */
export function drawRadiograph(region: Region, format: PixelFormat, lateral: boolean): Canvas {
  const canvas =
    region === 'hand'
      ? drawHand(format)
      : project(region, format, lateral ? 'sagittal' : 'coronal', {
          boneWeight: BONE_WEIGHT[region] ?? 1.4,
          stepMm: 2.5,
        });
  canvas.blur(0.5);
  addGrain(canvas);
  present(canvas, format, region === 'chest' ? 1.15 : 0.8);
  return canvas;
}

/** Chest radiographs are taken at high voltage, so that the ribs do not hide the lungs. */
const BONE_WEIGHT: Partial<Record<Region, number>> = {
  chest: 0.85,
  abdomen: 1.5,
  pelvis: 1.6,
  knee: 1.8,
  spine: 1.5,
  head: 0.9,
};

/** Fine structure that the bodies lack: trabeculae and small vessels. */
function addGrain(canvas: Canvas): void {
  const { values } = canvas;
  canvas.all((index, x, y) => {
    const value = values[index]!;
    if (value > 1)
      values[index] = value * (1 + 0.03 * cloud(3, x / 2.2, y / 2.2, 3) + 0.03 * cloud(9, x / 18, y / 18, 2));
  });
}

function present(canvas: Canvas, format: PixelFormat, gamma: number): void {
  const { values } = canvas;
  const low = quantile(values, 0.02);
  const high = quantile(values, 0.995);
  const max = 2 ** format.bitsStored - 1;
  for (let i = 0; i < values.length; i++) {
    const share = Math.min(1, Math.max(0, (values[i]! - low) / (high - low || 1)));
    values[i] = max * (0.03 + 0.92 * share ** gamma);
  }
}
