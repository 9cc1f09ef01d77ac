import type { Tissue } from './tissue.ts';

/**
 * A superellipsoid of one tissue, millimetres in patient axes: x to the left, y to the back, z to the head. Bodies are
 * lists of them, later ones replacing what they cover.
 */
export interface Solid {
  tissue: Tissue;
  centre: readonly [number, number, number];
  radii: readonly [number, number, number];
  /** 2 is an ellipsoid, more is boxier; a turned solid is always an ellipsoid. */
  power: number;
  /** Turn about z, radians. */
  angle: number;
  /** How deep the surface is dented, share of the radius. */
  rough: number;
}

type Point = readonly [number, number, number];

export function solid(
  tissue: Tissue,
  centre: Point,
  radii: Point,
  more: { power?: number; angle?: number; rough?: number } = {},
): Solid {
  return { tissue, centre, radii, power: more.power ?? 2, angle: more.angle ?? 0, rough: more.rough ?? 0 };
}

/** The same on both sides of the body. */
export function both(
  tissue: Tissue,
  [x, y, z]: Point,
  radii: Point,
  more: { power?: number; angle?: number; rough?: number } = {},
): Solid[] {
  const angle = more.angle ?? 0;
  return [
    solid(tissue, [x, y, z], radii, more),
    solid(tissue, [-x, y, z], radii, { ...more, angle: -angle }),
  ];
}

/** Bone with its marrow inside. */
export function boneWithMarrow(centre: Point, radii: Point, shellMm: number, power = 2, angle = 0): Solid[] {
  const inner: Point = [radii[0] - shellMm, radii[1] - shellMm, radii[2] - shellMm];
  return [solid('bone', centre, radii, { power, angle }), solid('marrow', centre, inner, { power, angle })];
}

/** Vertebrae from `bottom` to `top` about a curve, with discs, canal, cord and processes. */
export function spine(options: {
  y: (z: number) => number;
  bottom: number;
  top: number;
  pitch: number;
  radius: number;
  conus: number;
}): Solid[] {
  const { y, bottom, top, pitch, radius, conus } = options;
  const solids: Solid[] = [];
  for (let z = bottom; z <= top; z += pitch) {
    const body = y(z);
    const behind = body + radius * 0.85;
    solids.push(
      ...both('bone', [radius * 0.75, behind + 8, z], [5, 12, pitch * 0.22]),
      ...both('bone', [radius * 1.3, behind + 6, z], [radius * 0.7, 5, 5], { angle: 0.3 }),
      ...boneWithMarrow([0, behind + 19, z - pitch * 0.25], [5, 11, pitch * 0.3], 2),
      solid('disc', [0, y(z + pitch / 2), z + pitch / 2], [radius, radius * 0.75, pitch * 0.17], {
        power: 3,
      }),
      ...boneWithMarrow([0, body, z], [radius, radius * 0.75, pitch * 0.36], 1.6, 4),
    );
  }
  for (let z = bottom - pitch; z <= top + pitch; z += 4) {
    const canal = y(z) + radius * 0.75 + 8;
    solids.push(solid('fluid', [0, canal, z], [9, 7, 6]));
    if (z > conus) solids.push(solid('cord', [0, canal, z], [5, 4, 6]));
  }
  return solids;
}
