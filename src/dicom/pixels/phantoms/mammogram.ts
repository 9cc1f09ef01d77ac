import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
export function drawMammogram(format: PixelFormat, _p: string, _c: string): Canvas {
  return new Canvas(format.columns, format.rows, format.spacingMm, 1000);
}
