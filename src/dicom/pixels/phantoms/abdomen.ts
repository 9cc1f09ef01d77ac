import { createRng } from '../../../lib/rng.ts';
import { boneWithMarrow, both, type Solid, solid, spine } from './solid.ts';

function wall(rx: number, ry: number): Solid[] {
  return [
    solid('fat', [0, 0, 0], [rx, ry, 900], { power: 2.4 }),
    solid('muscle', [0, 2, 0], [rx - 20, ry - 18, 900], { power: 2.4 }),
    solid('fat', [0, -6, 0], [rx - 32, ry - 34, 900], { power: 2.4 }),
    ...both('muscle', [34, 84, 0], [32, 20, 900], { power: 3 }),
  ];
}

/** Abdomen from the dome of the liver to the iliac crests. */
export function abdomen(): Solid[] {
  return [
    ...wall(172, 118),
    ...bowel(),
    solid('liver', [-68, -10, 78], [88, 84, 88], { rough: 0.015 }),
    ...liverVessels(),
    solid('fluid', [-52, -52, 22], [15, 19, 24]),
    solid('spleen', [104, 34, 84], [28, 44, 52], { angle: 0.3 }),
    solid('bowel', [56, -40, 92], [52, 42, 56]),
    solid('contrast', [56, -34, 92], [45, 34, 49]),
    solid('air', [56, -60, 94], [36, 15, 40]),
    solid('muscle', [16, -8, 46], [56, 11, 13], { angle: 0.2, rough: 0.2 }),
    ...both('kidney', [66, 50, 14], [27, 29, 56], { angle: 0.4 }),
    ...both('fat', [58, 46, 14], [13, 12, 30], { angle: 0.4 }),
    ...both('fluid', [54, 44, 10], [7, 6, 14]),
    ...both('muscle', [38, 62, -60], [22, 24, 110]),
    solid('blood', [10, 36, 0], [11, 11, 300]),
    solid('blood', [-18, 34, 0], [13, 10, 300]),
    ...spine({ y: () => 58, bottom: -160, top: 190, pitch: 33, radius: 21, conus: 60 }),
    ...lowerRibs(),
    ...both('bone', [108, 40, -175], [9, 52, 48], { angle: -0.5 }),
    ...both('marrow', [108, 40, -175], [6, 48, 45], { angle: -0.5 }),
  ];
}

function liverVessels(): Solid[] {
  const rng = createRng('liver vessels');
  return Array.from({ length: 16 }, () =>
    solid('blood', [rng.int(-120, -25), rng.int(-50, 40), rng.int(30, 130)], [rng.int(4, 14), 3, 4], {
      angle: rng.float() * 3,
    }),
  );
}

function bowel(): Solid[] {
  const rng = createRng('bowel');
  const solids: Solid[] = [];
  for (let loop = 0; loop < 130; loop++) {
    const at = [rng.int(-92, 92), rng.int(-66, 14), rng.int(-172, 34)] as const;
    const angle = rng.float() * 3;
    solids.push(solid('bowel', at, [rng.int(18, 30), 14, 15], { angle, rough: 0.1 }));
    if (loop % 4 === 0) solids.push(solid('contrast', at, [13, 8, 9], { angle, rough: 0.2 }));
    if (loop % 7 === 0) solids.push(solid('air', [at[0], at[1] - 4, at[2]], [11, 6, 8], { rough: 0.2 }));
  }
  for (const x of [-116, 118])
    for (let z = -160; z < 40; z += 22)
      solids.push(
        solid('bowel', [x, 14, z], [22, 24, 15], { rough: 0.1 }),
        solid('air', [x, 10, z], [16, 16, 11], { rough: 0.2 }),
      );
  return solids;
}

function lowerRibs(): Solid[] {
  const solids: Solid[] = [];
  for (let rib = 0; rib < 4; rib++)
    for (let step = 0; step < 40; step++) {
      const a = 0.2 + (step / 40) * (2 - rib * 0.35);
      const z = 190 - rib * 28 - 60 * Math.sin(step / 26);
      solids.push(...both('bone', [146 * Math.sin(a), 94 * Math.cos(a), z], [5, 5, 6]));
    }
  return solids;
}

/** Pelvis from the iliac crests to the thighs. */
export function pelvis(): Solid[] {
  return [
    ...wall(184, 116),
    ...both('muscle', [92, 72, 0], [72, 36, 110]),
    ...both('muscle', [110, -20, -110], [48, 52, 90]),
    ...both('muscle', [64, -14, 0], [26, 34, 110]),
    ...both('muscle', [58, 34, -60], [24, 30, 50]),
    ...bowel()
      .filter(({ centre }) => centre[2] < -60)
      .map((part) => ({
        ...part,
        centre: [part.centre[0], part.centre[1], part.centre[2] + 170] as const,
      })),
    ...boneWithMarrow([104, 36, 74], [9, 58, 62], 3, 2, -0.5),
    ...boneWithMarrow([-104, 36, 74], [9, 58, 62], 3, 2, 0.5),
    ...boneWithMarrow([0, 74, 62], [50, 15, 66], 3),
    ...boneWithMarrow([84, 6, -8], [24, 34, 34], 4),
    ...boneWithMarrow([-84, 6, -8], [24, 34, 34], 4),
    ...both('cartilage', [92, 2, -34], [27, 27, 27]),
    ...hip(1),
    ...hip(-1),
    ...both('bone', [40, -54, -58], [40, 10, 11], { angle: 0.35 }),
    ...both('bone', [48, -2, -98], [14, 36, 12], { angle: 0.2 }),
    solid('cartilage', [0, -66, -58], [4, 9, 14]),
    solid('muscle', [0, 6, -62], [26, 22, 24]),
    solid('urine', [0, -22, -34], [42, 34, 32]),
    solid('bowel', [0, 48, -30], [20, 18, 70], { rough: 0.1 }),
    solid('air', [0, 44, -20], [9, 7, 30], { rough: 0.3 }),
    ...both('blood', [62, -52, -20], [7, 7, 120]),
  ];
}

function hip(side: 1 | -1): Solid[] {
  const neck = Array.from({ length: 9 }, (_, i) =>
    boneWithMarrow([side * (94 + i * 4), 2, -36 - i * 4.5], [15, 15, 15], 3),
  ).flat();
  const bones = [
    ...neck.filter((part) => part.tissue === 'bone'),
    solid('bone', [side * 92, 2, -34], [24, 24, 24]),
    solid('bone', [side * 132, 8, -62], [16, 18, 22]),
    solid('bone', [side * 122, 8, -140], [16, 16, 80]),
  ];
  return [
    ...bones,
    ...neck.filter((part) => part.tissue === 'marrow'),
    solid('marrow', [side * 92, 2, -34], [21.5, 21.5, 21.5]),
    solid('marrow', [side * 132, 8, -62], [13, 15, 19]),
    solid('marrow', [side * 122, 8, -150], [9, 9, 78]),
  ];
}
