import { createRng } from '../../../lib/rng.ts';
import { both, type Solid, solid, spine } from './solid.ts';

/** Thorax from the clavicles to the diaphragm: lungs with their vessels, heart, great vessels, ribs, spine. */
export function chest(): Solid[] {
  return [
    ...outline(),
    ...both('lung', [74, 4, 2], [58, 84, 132], { power: 2.5 }),
    ...lungVessels(),
    solid('fat', [0, -10, 20], [26, 62, 112], { power: 2.5 }),
    solid('lesion', [-78, -12, 36], [8, 8, 8], { rough: 0.15 }),
    ...mediastinum(),
    ...diaphragm(),
    ...spine({ y: () => 62, bottom: -156, top: 170, pitch: 25, radius: 16, conus: -400 }),
    ...ribs(),
    ...solidSternum(),
    ...both('bone', [104, 62, 84], [38, 4, 50], { angle: -0.5 }),
  ];
}

/** Trunk, shoulders and neck. */
function outline(): Solid[] {
  return [
    solid('fat', [0, 0, -280], [172, 116, 440], { power: 3 }),
    ...both('fat', [112, 6, 88], [80, 72, 72]),
    solid('fat', [0, 12, 140], [122, 62, 44]),
    solid('fat', [0, 14, 190], [60, 62, 80], { power: 3 }),
    solid('muscle', [0, 0, -280], [160, 104, 428], { power: 3 }),
    ...both('muscle', [112, 6, 86], [69, 61, 61]),
    solid('muscle', [0, 12, 138], [114, 54, 38]),
    solid('muscle', [0, 14, 190], [53, 55, 80], { power: 3 }),
    ...both('bone', [152, 6, 104], [22, 22, 22]),
    ...both('marrow', [152, 6, 104], [19, 19, 19]),
  ];
}

function mediastinum(): Solid[] {
  return [
    solid('heart', [24, -26, -52], [52, 40, 50], { angle: 0.5 }),
    solid('blood', [36, -20, -52], [24, 17, 26], { angle: 0.5 }),
    solid('blood', [-8, -34, -42], [22, 20, 28]),
    solid('blood', [-12, -16, 30], [15, 15, 48]),
    solid('blood', [4, 6, 68], [28, 32, 13], { angle: -0.5 }),
    solid('blood', [24, 44, -40], [12, 12, 110]),
    solid('blood', [14, -14, 12], [15, 14, 22]),
    ...both('blood', [30, 0, 14], [26, 8, 9], { angle: -0.25 }),
    solid('blood', [-27, -6, 62], [9, 10, 70]),
    ...both('blood', [20, -4, 120], [6, 6, 50]),
    solid('air', [0, 12, 96], [9, 8, 66]),
    ...both('air', [14, 14, 30], [14, 6, 8], { angle: -0.1 }),
    solid('muscle', [5, 34, 0], [8, 5, 300]),
  ];
}

function diaphragm(): Solid[] {
  return [
    solid('liver', [-66, -2, -168], [74, 82, 76], { power: 2.2 }),
    solid('spleen', [88, 38, -168], [40, 44, 58]),
    solid('bowel', [62, -28, -168], [50, 44, 64]),
    solid('air', [60, -42, -140], [30, 22, 20]),
  ];
}

/** Branches that thin out from the hilum. */
function lungVessels(): Solid[] {
  const rng = createRng('lung vessels');
  const solids: Solid[] = [];
  for (let branch = 0; branch < 70; branch++) {
    const side = branch % 2 === 0 ? 1 : -1;
    const target = [side * rng.int(40, 122), rng.int(-66, 76), rng.int(-115, 110)] as const;
    const start = [side * 34, 4, 10] as const;
    for (let step = 0; step < 44; step++) {
      const t = step / 44;
      const bend = Math.sin(t * Math.PI) * 9;
      const at = (i: 0 | 1 | 2): number => start[i] + (target[i] - start[i]) * t;
      const radius = 4.4 * (1 - t) ** 1.4 + 0.7;
      solids.push(
        solid('vessel', [at(0), at(1) + bend, at(2) + bend * side], [radius, radius, radius + 1.5]),
      );
    }
  }
  return solids;
}

const RIB_STEPS = 84;

function ribs(): Solid[] {
  const shells: Solid[] = [];
  const marrows: Solid[] = [];
  for (let rib = 0; rib < 12; rib++) {
    const z0 = 158 - rib * 25;
    const narrow = Math.max(0, (z0 - 60) / 300);
    const [rx, ry] = [140 * (1 - narrow), 92 * (1 - narrow * 0.7)];
    const reach = rib < 10 ? 2.55 : 1.7;
    for (let step = 0; step <= RIB_STEPS; step++) {
      const t = step / RIB_STEPS;
      const a = 0.16 + t * reach;
      // Ribs run downwards to the front, and rise a little to their cartilage.
      const z = z0 - 74 * Math.sin(Math.min(t, 0.8) * 1.6) + (t > 0.8 ? (t - 0.8) * 60 : 0);
      for (const side of [1, -1]) {
        const at = [side * rx * Math.sin(a), ry * Math.cos(a), z] as const;
        const tissue = t > 0.88 ? 'cartilage' : 'bone';
        shells.push(solid(tissue, at, [5, 5, 6.5]));
        if (tissue === 'bone') marrows.push(solid('marrow', at, [3, 3, 4.5]));
      }
    }
  }
  return [...shells, ...marrows];
}

function solidSternum(): Solid[] {
  const clavicles = Array.from({ length: 30 }, (_, i) =>
    both('bone', [14 + i * 4.2, -76 + Math.sin(i / 5) * 9 + i * 1.4, 128 + i * 0.7], [4.5, 5, 5]),
  );
  return [
    solid('bone', [0, -84, 6], [17, 6, 72], { power: 3 }),
    solid('marrow', [0, -84, 6], [15, 4, 70], { power: 3 }),
    ...clavicles.flat(),
  ];
}
