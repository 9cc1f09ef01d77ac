import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
export function drawSection(_r: string, format: PixelFormat, _p: string, _c: string, _d: number): Canvas {
  return new Canvas(format.columns, format.rows, format.spacingMm, 1000);
}
export function drawLocalizer(_r: string, format: PixelFormat, _p: string): Canvas {
  return new Canvas(format.columns, format.rows, format.spacingMm, 1000);
}
