import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
export function drawRadiograph(_r: string, format: PixelFormat, _l: boolean): Canvas {
  return new Canvas(format.columns, format.rows, format.spacingMm, 1000);
}
