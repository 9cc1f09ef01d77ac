import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';

/** A hand, palm down: fingers up, forearm at the lower edge; attenuation in millimetres of water. */
export function drawHand(format: PixelFormat): Canvas {
  const canvas = new Canvas(format.columns >> 2, format.rows >> 2, format.spacingMm * 4);
  for (const finger of FINGERS) drawFinger(canvas, finger);
  drawPalm(canvas);
  drawWrist(canvas);
  return canvas;
}

interface Finger {
  /** Knuckle, millimetres. */
  x: number;
  y: number;
  /** Direction of the finger, radians from straight up. */
  angle: number;
  phalanges: readonly number[];
  /** Where the metacarpal meets the wrist. */
  base: readonly [number, number];
}

const FINGERS: readonly Finger[] = [
  { x: -34, y: 2, angle: -0.16, phalanges: [40, 24, 17], base: [-17, 62] },
  { x: -12, y: -4, angle: -0.04, phalanges: [45, 28, 18], base: [-6, 62] },
  { x: 9, y: 0, angle: 0.06, phalanges: [41, 26, 18], base: [5, 62] },
  { x: 29, y: 9, angle: 0.2, phalanges: [33, 19, 16], base: [15, 64] },
  { x: -52, y: 36, angle: -0.75, phalanges: [32, 23], base: [-27, 66] },
];

function drawFinger(canvas: Canvas, { x, y, angle, phalanges, base }: Finger): void {
  const length = phalanges.reduce((sum, each) => sum + each + 2, 0);
  const [dx, dy] = [Math.sin(angle), -Math.cos(angle)];
  const at = (along: number, radius: number): [number, number, number] => [
    x + dx * along,
    y + dy * along,
    radius,
  ];
  canvas.addTube([at(-10, 12), at(length * 0.5, 10), at(length + 3, 8)], 15, 0);
  drawBone(canvas, base, [x - dx * 3, y - dy * 3], 5.2);
  let along = 2;
  phalanges.forEach((bone, index) => {
    drawBone(canvas, xy(at(along, 0)), xy(at(along + bone, 0)), 4.8 - index * 0.7);
    along += bone + 2.2;
  });
}

function xy([x, y]: readonly [number, number, number]): [number, number] {
  return [x, y];
}

/** A long bone: narrow in the middle, wide at both ends. */
function drawBone(
  canvas: Canvas,
  [ax, ay]: readonly [number, number],
  [bx, by]: readonly [number, number],
  radius: number,
): void {
  const point = (t: number, width: number): [number, number, number] => [
    ax + (bx - ax) * t,
    ay + (by - ay) * t,
    radius * width,
  ];
  canvas.addTube(
    [
      point(0.04, 1.25),
      point(0.14, 1.2),
      point(0.3, 0.85),
      point(0.65, 0.75),
      point(0.86, 1.05),
      point(0.96, 1.1),
    ],
    17,
    0.45,
  );
}

function drawPalm(canvas: Canvas): void {
  canvas.addEllipse(-3, 36, 46, 46, 22, 0, 0.5);
  canvas.addTube(
    [
      [0, 60, 32],
      [0, 130, 30],
    ],
    26,
    0,
  );
}

const CARPALS: readonly (readonly [number, number, number, number, number])[] = [
  [-22, 69, 7, 7, 0.3],
  [-13, 70, 6, 6, 0],
  [-3, 69, 7.5, 10, 0],
  [9, 70, 7.5, 8, 0.2],
  [-17, 82, 7, 10, 0.7],
  [-4, 84, 8, 7, 0],
  [9, 83, 7, 7, 0.4],
  [13, 80, 4.5, 5, 0],
];

function drawWrist(canvas: Canvas): void {
  for (const [x, y, rx, ry, angle] of CARPALS) {
    canvas.addEllipse(x, y, rx, ry, 9, angle, 0.25);
    canvas.addEllipse(x, y, rx - 1.6, ry - 1.6, -2.5, angle, 0.4);
  }
  canvas.addTube(
    [
      [-10, 94, 15],
      [-12, 101, 13],
      [-11, 140, 8.5],
    ],
    19,
    0.45,
  );
  canvas.addTube(
    [
      [14, 92, 7],
      [14, 102, 6.5],
      [13, 140, 6],
    ],
    15,
    0.45,
  );
}
