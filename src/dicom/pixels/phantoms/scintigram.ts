import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
export function drawScintigram(_r: string, format: PixelFormat, _f: number): Canvas {
  return new Canvas(format.columns, format.rows, format.spacingMm, 100);
}
