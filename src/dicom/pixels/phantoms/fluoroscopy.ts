import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
import { cloud } from '../noise.ts';
import { project, quantile } from './projection.ts';

/**
 * A barium meal: oesophagus, stomach and duodenum filling from one spot film to the next, bone and barium dark.
 * @param background from `fluoroscopyBackground`, left as it is
 */
export function drawFluoroscopy(background: Canvas, format: PixelFormat, position: number): Canvas {
  const canvas = new Canvas(background.width, background.height, background.pixelMm);
  canvas.values.set(background.values);
  addBarium(canvas, position);
  canvas.blur(0.8);
  expose(canvas, format);
  return canvas;
}

/** The abdomen on which the barium is seen; the same for all films. */
export function fluoroscopyBackground(format: PixelFormat): Canvas {
  const canvas = project('abdomen', format, 'coronal', { boneWeight: 1.4 });
  const middle = quantile(canvas.values, 0.5);
  const { values } = canvas;
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! - middle) * 5;
  return canvas;
}

type Points = [number, number, number][];

const OESOPHAGUS: Points = [
  [4, -150, 6],
  [6, -115, 7],
  [10, -90, 6],
  [18, -74, 4],
  [24, -66, 7],
];
const STOMACH: Points = [
  [48, -82, 24],
  [54, -50, 30],
  [52, -12, 29],
  [42, 26, 27],
  [18, 48, 21],
  [-8, 46, 13],
  [-22, 38, 7],
];
const DUODENUM: Points = [
  [-22, 38, 7],
  [-34, 28, 14],
  [-46, 34, 11],
  [-52, 60, 10],
  [-48, 88, 10],
  [-24, 98, 10],
  [8, 88, 10],
  [40, 66, 9],
];

function addBarium(canvas: Canvas, position: number): void {
  canvas.addTube(OESOPHAGUS, position < 3 ? 900 : 260, 0);
  canvas.addTube(STOMACH, 1300, 0.15);
  if (position > 0) canvas.addTube(DUODENUM.slice(0, 3 + position), 900, 0.3);
  // Folds of the mucosa, and gas that rises into the fundus.
  const { values } = canvas;
  canvas.all((index, x, y) => {
    if (values[index]! > 500)
      values[index]! += 330 * Math.sin(x / 2.4 + 3 * cloud(position + 3, x / 18, y / 18, 2));
  });
  canvas.addEllipse(52, -88, 24, 18, -800, 0, 0.5);
}

function expose(canvas: Canvas, format: PixelFormat): void {
  const max = 2 ** format.bitsStored - 1;
  const radius = (Math.min(canvas.width, canvas.height) * canvas.pixelMm) / 2;
  const { values } = canvas;
  canvas.all((index, x, y) => {
    // The image intensifier sees a circle.
    const open = Math.hypot(x, y) < radius * 0.99;
    values[index] = open ? max * 0.72 * Math.exp(-Math.max(-900, values[index]!) / 1500) : 40;
  });
}
