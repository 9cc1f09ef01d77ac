import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
import type { Region } from '../region.ts';

/** Counts of a gamma camera; frame 0 from the front, frame 1 from the back. */
export function drawScintigram(region: Region, format: PixelFormat, frame: number): Canvas {
  const canvas = new Canvas(format.columns, format.rows, format.spacingMm);
  if (region === 'wholebody') drawSkeleton(canvas, frame === 1);
  else drawOrgan(canvas, region, frame === 1);
  canvas.blur(4);
  return canvas;
}

type Points = [number, number, number][];

/** A bone scan from head (top) to feet. */
function drawSkeleton(canvas: Canvas, posterior: boolean): void {
  const far = posterior ? 0.75 : 1;
  const near = posterior ? 1.35 : 1;
  drawSoftTissue(canvas);
  canvas.addEllipse(0, -810, 72, 92, 26, 0, 0.25);
  canvas.addEllipse(0, -735, 45, 50, 20 * far, 0, 0.4);
  const vertebrae = 24;
  for (let i = 0; i < vertebrae; i++)
    canvas.addEllipse(0, -690 + i * 26, 15 + i * 0.35, 12, 34 * near, 0, 0.5);
  for (let rib = 0; rib < 10; rib++) drawRibs(canvas, rib, posterior);
  if (!posterior)
    canvas.addTube(
      [
        [0, -610, 15],
        [0, -450, 12],
      ],
      34,
      0,
    );
  for (const side of [-1, 1]) drawLimbs(canvas, side, near);
  canvas.addEllipse(0, -30, 52, 62, 30 * near, 0, 0.5);
  canvas.addEllipse(0, 42, 38, 30, posterior ? 40 : 110, 0, 0.6);
  if (posterior) for (const side of [-1, 1]) canvas.addEllipse(side * 62, -235, 28, 48, 26, side * 0.2, 0.5);
  // Hot spots for the reader to find.
  canvas.addEllipse(58, -420, 13, 10, 85, 0, 0.7);
  canvas.addEllipse(-2, -190, 16, 13, 70 * near, 0, 0.7);
}

function drawRibs(canvas: Canvas, rib: number, posterior: boolean): void {
  const y0 = -610 + rib * 27;
  const width = 92 + Math.min(rib, 5) * 9;
  const slope = posterior ? 34 : -26;
  for (const side of [-1, 1]) {
    const points = Array.from({ length: 16 }, (_, i): [number, number, number] => {
      const t = i / 15;
      return [side * (14 + (width - 14) * Math.sin(t * 1.57)), y0 + slope * t * t + 12 * t, 5.5];
    });
    canvas.addTube(points, 17, 0);
  }
}

function drawLimbs(canvas: Canvas, side: number, near: number): void {
  const long = (points: Points, amount: number): void =>
    canvas.addTube(
      points.map(([x, y, r]) => [x * side, y, r]),
      amount,
      0,
    );
  const joint = (x: number, y: number, r: number, amount: number): void =>
    canvas.addEllipse(x * side, y, r, r, amount, 0, 0.7);
  long(
    [
      [30, -620, 7],
      [150, -650, 8],
    ],
    18,
  );
  joint(160, -625, 28, 30);
  long(
    [
      [165, -610, 14],
      [200, -330, 11],
    ],
    13,
  );
  joint(202, -318, 20, 18);
  long(
    [
      [205, -305, 11],
      [232, -80, 9],
    ],
    10,
  );
  joint(236, -62, 16, 14);
  long(
    [
      [238, -50, 20],
      [242, 30, 14],
    ],
    6,
  );
  if (near > 1) canvas.addEllipse(120 * side, -560, 34, 62, 10, 0.3 * side, 0.5);
  canvas.addEllipse(88 * side, -50, 58, 62, 26, 0.5 * side, 0.4);
  joint(104 * side * side, 40, 30, 26);
  long(
    [
      [112, 45, 19],
      [90, 440, 16],
    ],
    12,
  );
  joint(88, 462, 34, 32);
  long(
    [
      [86, 485, 16],
      [76, 830, 11],
    ],
    12,
  );
  joint(75, 850, 22, 20);
  long(
    [
      [75, 860, 15],
      [92, 930, 12],
    ],
    11,
  );
}

function drawSoftTissue(canvas: Canvas): void {
  canvas.addEllipse(0, -350, 165, 360, 5, 0, 0.2);
  canvas.addEllipse(0, -805, 85, 110, 4, 0, 0.2);
  for (const side of [-1, 1]) {
    canvas.addTube(
      [
        [side * 95, 0, 85],
        [side * 82, 450, 62],
        [side * 78, 860, 40],
      ],
      5,
      0,
    );
    canvas.addTube(
      [
        [side * 175, -620, 52],
        [side * 215, -310, 42],
        [side * 240, 10, 28],
      ],
      4,
      0,
    );
  }
}

/** Static views: thyroid, lungs or kidneys. */
function drawOrgan(canvas: Canvas, region: Region, posterior: boolean): void {
  canvas.addEllipse(0, 40, 170, 260, 4, 0, 0.3);
  for (const side of [-1, 1]) {
    if (region === 'head') canvas.addEllipse(side * 26, 0, 17, 40, posterior ? 25 : 95, side * 0.25, 0.6);
    else if (region === 'chest') canvas.addEllipsoid(side * 72, 0, 56, 118, 70, side * 0.08);
    else canvas.addEllipsoid(side * 66, 10, 32, 58, posterior ? 95 : 45, side * 0.2);
  }
  if (region === 'head') canvas.addEllipse(0, 26, 22, 9, posterior ? 10 : 40, 0, 0.6);
  if (region === 'abdomen' || region === 'pelvis') canvas.addEllipse(0, 190, 42, 34, 80, 0, 0.6);
}
