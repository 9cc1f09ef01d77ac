import { boneWithMarrow, both, type Solid, solid } from './solid.ts';

/** A knee in extension: femur, tibia, fibula, patella, cartilage, menisci, ligaments, muscles. */
export function knee(): Solid[] {
  return [
    solid('fat', [0, 0, 0], [60, 62, 900]),
    solid('muscle', [0, 22, 75], [52, 36, 62]),
    solid('muscle', [0, -26, 85], [48, 28, 48]),
    ...both('muscle', [22, 34, -72], [24, 24, 74]),
    solid('muscle', [26, -12, -88], [18, 22, 60]),
    solid('blood', [4, 32, 0], [5, 5, 200]),
    solid('tendon', [0, -50, 62], [13, 4, 34]),
    solid('tendon', [0, -47, -22], [12, 3.5, 28]),
    solid('fluid', [0, -38, 40], [20, 5, 16]),
    solid('fluid', [0, 2, -1], [36, 32, 10], { power: 3 }),
    ...both('cartilage', [22, 3, 17], [24.5, 33, 23.5]),
    solid('cartilage', [0, -14, 22], [24, 24, 20]),
    solid('cartilage', [0, 2, -18], [39, 29, 17], { power: 3.5 }),
    ...both('tendon', [29, 2, -3.5], [15, 27, 4.5], { power: 3 }),
    ...both('cartilage', [20, 2, -3], [9, 14, 5]),
    ...femur(),
    ...tibia(),
    solid('tendon', [2, 12, -4], [5, 5, 17]),
    solid('tendon', [-4, -4, -2], [4, 9, 12]),
    solid('cartilage', [0, -42, 20], [19, 8, 19]),
    ...boneWithMarrow([0, -46, 20], [20, 9, 21], 1.4),
  ];
}

/** Shells first, so that the marrow of one part runs on into the next. */
function shellsFirst(parts: readonly Solid[]): Solid[] {
  return [
    ...parts.filter((part) => part.tissue === 'bone'),
    ...parts.filter((part) => part.tissue !== 'bone'),
  ];
}

function femur(): Solid[] {
  return shellsFirst([
    ...boneWithMarrow([22, 3, 18], [22.5, 31, 22], 1.3),
    ...boneWithMarrow([-22, 3, 18], [22.5, 31, 22], 1.3),
    ...boneWithMarrow([0, -10, 26], [24, 24, 20], 1.5),
    ...boneWithMarrow([0, -8, 46], [26, 20, 24], 2.5),
    ...boneWithMarrow([0, -8, 95], [16, 16, 62], 5),
  ]);
}

function tibia(): Solid[] {
  return shellsFirst([
    ...boneWithMarrow([0, 2, -20], [37.5, 27, 15.5], 1.4, 3.5),
    ...boneWithMarrow([0, -3, -42], [27, 24, 22], 2.5),
    ...boneWithMarrow([0, -22, -40], [11, 12, 11], 1.5),
    ...boneWithMarrow([0, -5, -100], [16, 17, 68], 5),
    ...boneWithMarrow([36, 20, -38], [10, 10, 14], 1.5),
    ...boneWithMarrow([36, 20, -95], [6.5, 7, 62], 2.5),
  ]);
}
