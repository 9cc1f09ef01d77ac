import { createRng } from '../../../lib/rng.ts';
import { Canvas } from '../canvas.ts';
import type { PixelFormat } from '../format.ts';
import { cloud } from '../noise.ts';

/** Coarser than the detector: parenchyma is soft. */
const COARSER = 4;

/** A breast from the chest wall to the nipple, fat dark, fibroglandular tissue and muscle bright, air black. */
export function drawMammogram(format: PixelFormat, view: 'CC' | 'MLO', laterality: 'L' | 'R'): Canvas {
  const canvas = new Canvas(format.columns / COARSER, format.rows / COARSER, format.spacingMm * COARSER);
  const side = laterality === 'R' ? 1 : -1;
  const wall = (canvas.width * canvas.pixelMm) / 2;
  const oblique = view === 'MLO';
  const seed = laterality === 'R' ? 11 : 12;
  const centreY = oblique ? 18 : 0;
  const [depth, half] = oblique ? [128, 100] : [112, 88];
  canvas.all((index, x, y) => {
    // Distance from the chest wall, which is at the right edge for a right breast.
    const u = wall - side * x;
    const v = y - centreY;
    // Above the breast the oblique view runs on into the armpit.
    const reach = oblique && v < 0 ? Math.max(half, half + (0.45 - u / depth) * 110) : half;
    const rim = Math.sqrt((u / depth) ** 2 + (v / reach) ** 2);
    canvas.values[index] = rim >= 1 ? 20 : breast(u, v, rim, depth, seed);
    if (oblique && rim < 1) addPectoral(canvas, index, u, y);
  });
  addDetails(canvas, { wall, side, depth, centreY, seed });
  canvas.blur(0.4);
  return canvas;
}

/** Stored value inside the breast: thickness falls off at the rim, the skin is a thin bright line. */
function breast(u: number, v: number, rim: number, depth: number, seed: number): number {
  const thickness = Math.min(1, (1 - rim) / 0.16) ** 0.5;
  const fat = 900 + 120 * cloud(seed, u / 22, v / 22, 3);
  // The gland is a cone that opens from the nipple towards the wall.
  const cone = 1 - Math.hypot((u - depth * 0.52) / (depth * 0.42), v / (depth * 0.46));
  const lobes = cloud(seed + 40, u / 17 + cloud(seed, u / 30, v / 30), v / 17, 4);
  const gland = Math.max(0, Math.min(1, cone * 1.5 + lobes * 0.9));
  const strands = Math.max(0, 1 - Math.abs(cloud(seed + 80, u / 12 + v / 40, v / 12, 3)) * 7);
  const skin = rim > 0.972 ? 500 : 0;
  return thickness * (fat + 1900 * gland + 520 * strands * (0.25 + gland) + skin);
}

function addPectoral(canvas: Canvas, index: number, u: number, y: number): void {
  const top = (-canvas.height * canvas.pixelMm) / 2;
  const edge = 62 - (y - top) * 0.42 + 4 * cloud(5, u / 20, y / 20, 2);
  if (u < edge) canvas.values[index]! += 1500 * Math.min(1, (edge - u) / 6);
}

interface Place {
  wall: number;
  side: 1 | -1;
  depth: number;
  centreY: number;
  seed: number;
}

function addDetails(canvas: Canvas, { wall, side, depth, centreY, seed }: Place): void {
  const rng = createRng('mammogram', seed);
  const x = (u: number): number => side * (wall - u);
  // The nipple in profile.
  canvas.addEllipse(x(depth), centreY, 6, 5, 1100, 0, 0.6);
  for (let vessel = 0; vessel < 4; vessel++) {
    const y0 = centreY + rng.int(-50, 50);
    const bend = rng.int(-16, 16);
    const points = Array.from({ length: 14 }, (_, i): [number, number, number] => [
      x(8 + i * 5.5),
      y0 + bend * Math.sin(i / 4) + i * (y0 > centreY ? -1.6 : 1.6),
      1.1 - i * 0.045,
    ]);
    canvas.addTube(points, 330, 0);
  }
  for (let grain = 0; grain < 9; grain++)
    canvas.addEllipse(x(depth * 0.5 + rng.int(-9, 9)), centreY - 12 + rng.int(-8, 8), 0.5, 0.5, 1500, 0, 0.5);
}
