import { boneWithMarrow, both, type Solid, solid, spine } from './solid.ts';

/** Head from the chin to the crown: skull, brain with its ventricles and nuclei, orbits, base of the skull. */
export function head(): Solid[] {
  return [
    solid('fat', [0, 0, -15], [77, 97, 99]),
    solid('muscle', [0, 0, -17], [74, 94, 96]),
    ...face(),
    ...boneWithMarrow([0, 0, -15], [72, 91, 93], 2.2),
    solid('bone', [0, 0, -15], [67.5, 86.5, 88.5]),
    ...brain(),
    ...base(),
  ];
}

function brain(): Solid[] {
  return [
    solid('fluid', [0, 0, -15], [65.5, 84.5, 86.5]),
    solid('grey', [0, 0, -14], [65, 84, 86], { power: 2.1, rough: 0.055 }),
    ...both('white', [27, 0, -11], [29, 71, 72], { power: 2.2, rough: 0.2 }),
    solid('fluid', [0, 0, -15], [1.7, 82, 84]),
    solid('white', [0, 0, 14], [24, 34, 8]),
    ...both('grey', [24, -4, 4], [7, 20, 12], { angle: -0.25 }),
    ...both('grey', [11, 6, 2], [9, 14, 10]),
    ...both('fluid', [9, -18, 16], [4.5, 17, 13], { angle: -0.28 }),
    ...both('fluid', [15, 22, 13], [5, 19, 11], { angle: 0.3 }),
    solid('fluid', [0, 3, 0], [1.8, 13, 11]),
  ];
}

function base(): Solid[] {
  return [
    ...both('grey', [22, 48, -55], [26, 30, 24], { rough: 0.06 }),
    ...both('white', [20, 46, -55], [17, 20, 15], { rough: 0.25 }),
    solid('white', [0, 16, -45], [13, 14, 30]),
    solid('fluid', [0, 36, -46], [8, 6, 9]),
    ...both('bone', [40, 12, -58], [30, 8, 10], { angle: -0.6 }),
    ...both('air', [56, 24, -60], [8, 7, 10]),
    solid('bone', [0, -22, -56], [34, 14, 7]),
    solid('air', [0, -26, -60], [14, 10, 9]),
    ...orbits(),
  ];
}

function orbits(): Solid[] {
  return [
    ...both('bone', [33, -52, -52], [23, 27, 21]),
    ...both('fat', [33, -56, -52], [20, 25, 18]),
    ...both('fluid', [33, -66, -52], [12, 12, 12]),
    ...both('muscle', [27, -46, -52], [2, 12, 2], { angle: 0.3 }),
    solid('air', [0, -66, -56], [12, 24, 14]),
    solid('bone', [0, -66, -56], [1, 26, 16]),
  ];
}

function face(): Solid[] {
  return [
    solid('muscle', [0, 5, -100], [64, 78, 40], { power: 3 }),
    ...both('air', [31, -58, -84], [14, 17, 14]),
    solid('bone', [0, -62, -104], [30, 22, 9]),
    solid('bone', [0, -50, -118], [46, 34, 8]),
    solid('muscle', [0, -42, -112], [38, 34, 16]),
    solid('air', [0, -14, -105], [9, 13, 30]),
    ...both('bone', [47, -10, -98], [4, 15, 26]),
    ...spine({ y: () => 14, bottom: -150, top: -100, pitch: 18, radius: 12, conus: -400 }),
  ];
}
