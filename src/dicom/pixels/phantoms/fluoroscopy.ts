import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
export function drawFluoroscopy(format: PixelFormat, _p: number): Canvas {
  return new Canvas(format.columns, format.rows, format.spacingMm, 100);
}
