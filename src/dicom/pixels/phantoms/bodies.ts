import { createRng } from '../../../lib/rng.ts';
import type { Region } from '../region.ts';
import { abdomen, pelvis } from './abdomen.ts';
import { chest } from './chest.ts';
import { head } from './head.ts';
import { knee } from './knee.ts';
import { both, type Solid, solid, spine } from './solid.ts';

/** The body of each region; centred on the origin of the patient's axes. */
const BODIES: Record<Region, () => Solid[]> = {
  head,
  chest,
  abdomen,
  pelvis,
  spine: lumbarSpine,
  hand: knee,
  knee,
  breast: chest,
  wholebody,
};

export function bodyOf(region: Region): Solid[] {
  return BODIES[region]();
}

function lumbarSpine(): Solid[] {
  const curve = (z: number): number => 8 - 16 * Math.cos((z / 280) * Math.PI);
  const solids = [
    solid('fat', [0, 0, 0], [165, 115, 900], { power: 2.4 }),
    solid('muscle', [0, -12, 0], [145, 95, 900], { power: 2.4 }),
    solid('fat', [0, -50, 0], [120, 55, 900]),
    ...both('muscle', [36, 68, 0], [32, 26, 900], { power: 3 }),
    ...both('muscle', [42, 18, -40], [20, 22, 150]),
    solid('blood', [8, -36, 30], [9, 9, 160]),
    solid('blood', [-18, -32, 30], [11, 9, 160]),
  ];
  const rng = createRng('spine bowel');
  for (let i = 0; i < 24; i++)
    solids.push(
      solid('bowel', [rng.int(-70, 70), rng.int(-95, -50), rng.int(-140, 140)], [16, 13, 16], { rough: 0.2 }),
    );
  return [
    ...solids,
    ...spine({ y: curve, bottom: -105, top: 150, pitch: 36, radius: 24, conus: 20 }),
    ...sacrum(),
  ];
}

function sacrum(): Solid[] {
  return [0, 1, 2].map((i) =>
    solid('marrow', [0, 12 + i * 14, -134 - i * 17], [22 - i * 3, 13, 9], { power: 3 }),
  );
}

/** Head to thighs, coarse: for images of a few millimetres. */
function wholebody(): Solid[] {
  const shift = (solids: readonly Solid[], z: number): Solid[] =>
    solids.map((part) => ({ ...part, centre: [part.centre[0], part.centre[1], part.centre[2] + z] }));
  const trunk = [
    ...shift(pelvis(), -200).filter(isWithin(-330, -130)),
    ...shift(abdomen(), 20).filter(isWithin(-130, 90)),
    ...shift(chest(), 190).filter(isWithin(90, 310)),
  ];
  return [
    solid('fat', [0, 0, 60], [170, 115, 290], { power: 6 }),
    solid('muscle', [0, 0, 60], [155, 100, 275], { power: 6 }),
    ...both('fat', [90, 10, -400], [85, 90, 250], { power: 3 }),
    ...both('muscle', [90, 10, -400], [72, 75, 240], { power: 3 }),
    solid('muscle', [0, 15, 340], [60, 60, 60], { power: 3 }),
    ...shift(head(), 420).filter(isWithin(330, 600)),
    ...trunk.filter((part) => part.radii[2] < 300),
    ...both('lesion', [40, -5, 230], [9, 9, 11]).slice(0, 1),
    solid('lesion', [-48, -10, 60], [11, 11, 11]),
  ];
}

function isWithin(bottom: number, top: number): (part: Solid) => boolean {
  return ({ centre }) => centre[2] >= bottom && centre[2] <= top;
}
