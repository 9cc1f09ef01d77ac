import { createRng } from '../../lib/rng.ts';

/**
 * Fast Gaussian noise: a table of normal deviates read at random places. Drawing it anew for each pixel would cost
 * ten times as much, and nobody can see the difference.
 */
const TABLE_BITS = 14;

export interface Noise {
  /** A standard normal deviate. */
  normal(): number;
  /**
   * Writes `signal` with noise of standard deviation `sigma` as whole numbers from 0 to `max`, from `target[start]` on.
   */
  addTo(
    signal: Float32Array,
    sigma: Float32Array,
    target: Uint16Array | Uint8Array,
    start: number,
    max: number,
  ): void;
}

const TABLE: Float32Array = (() => {
  const rng = createRng('normal table');
  return Float32Array.from({ length: 1 << TABLE_BITS }, () => rng.normal());
})();

export function createNoise(...words: readonly (number | string)[]): Noise {
  let state = createRng('noise', ...words).next() | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
  return {
    normal: () => TABLE[next() >>> (32 - TABLE_BITS)]!,
    addTo: (signal, sigma, target, start, max) => {
      // One draw serves two pixels: it has bits for two places in the table.
      let drawn = 0;
      for (let at = 0; at < signal.length; at++) {
        drawn = (at & 1) === 0 ? next() : drawn << TABLE_BITS;
        const value = (signal[at]! + sigma[at]! * TABLE[drawn >>> (32 - TABLE_BITS)]! + 0.5) | 0;
        target[start + at] = value < 0 ? 0 : Math.min(value, max);
      }
    },
  };
}

/**
 * Smooth random field in about [-1, 1] (value noise in octaves): the unevenness of tissue. It is a function of the
 * place alone, so that neighbouring slices and variants agree.
 */
export function cloud(seed: number, x: number, y: number, octaves = 3): number {
  let sum = 0;
  let weight = 1;
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * lattice(seed + octave * 101, x, y);
    total += weight;
    weight *= 0.5;
    x *= 2;
    y *= 2;
  }
  return sum / total;
}

function lattice(seed: number, x: number, y: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const u = smooth(x - x0);
  const v = smooth(y - y0);
  const top = corner(seed, x0, y0) * (1 - u) + corner(seed, x0 + 1, y0) * u;
  const bottom = corner(seed, x0, y0 + 1) * (1 - u) + corner(seed, x0 + 1, y0 + 1) * u;
  return top * (1 - v) + bottom * v;
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

function corner(seed: number, x: number, y: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h ^= h >>> 13;
  return (h >>> 0) / 0x8000_0000 - 1;
}
