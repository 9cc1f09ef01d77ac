import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
export function drawUltrasound(_r: string, format: PixelFormat, _p: number): Canvas {
  return new Canvas(format.columns, format.rows, format.spacingMm, 100);
}
