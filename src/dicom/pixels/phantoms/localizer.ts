import type { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
import type { Region } from '../region.ts';
import { project } from './projection.ts';

/** Stored values a millimetre of water: a trunk reaches about the middle of the range. */
const VALUES_PER_MM = 3.6;
/** What air alone gives. */
const AIR_VALUE = 250;

/** The survey image from which the sections are planned. */
export function drawLocalizer(
  region: Region,
  format: PixelFormat,
  direction: 'coronal' | 'sagittal',
): Canvas {
  const canvas = project(region, format, direction, { boneWeight: 1.3 });
  for (let i = 0; i < canvas.values.length; i++)
    canvas.values[i] = AIR_VALUE + canvas.values[i]! * VALUES_PER_MM;
  return canvas;
}
