/**
 * A small fast generator (sfc32) whose state is a hash of words, so that any value can be drawn again from
 * (seed, namespace, index, step) without drawing what came before it.
 */
export interface Rng {
  /** An unsigned 32-bit integer. */
  next(): number;
  /** In [0, 1). */
  float(): number;
  /** Both ends included. */
  int(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
  /** An index of `weights`, drawn in proportion to them. */
  weighted(weights: readonly number[]): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
}

function mix(h: number, word: number): number {
  h = Math.imul(h ^ word, 0x9e3779b1);
  h = (h << 13) | (h >>> 19);
  return Math.imul(h, 0x85ebca6b) + 0x27d4eb2f;
}

/** 32-bit avalanche finaliser (MurmurHash3). */
function finalise(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 32-bit hash of numbers (up to 2^53) and strings, equal on every machine. */
export function hash32(salt: number, ...words: readonly (number | string)[]): number {
  let h = salt | 0;
  for (const word of words) {
    if (typeof word === 'number') {
      h = mix(h, word | 0);
      h = mix(h, Math.floor(word / 0x1_0000_0000) | 0);
    } else {
      for (let i = 0; i < word.length; i++) h = mix(h, word.charCodeAt(i));
      h = mix(h, word.length);
    }
  }
  return finalise(h);
}

export function createRng(...words: readonly (number | string)[]): Rng {
  let a = hash32(0x243f6a88, ...words);
  let b = hash32(0x85a308d3, ...words);
  let c = hash32(0x13198a2e, ...words);
  let counter = 1;
  const next = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 8; i++) next();
  const float = (): number => next() / 0x1_0000_0000;
  return {
    next,
    float,
    int: (min, max) => min + Math.floor(float() * (max - min + 1)),
    pick: (items) => items[Math.floor(float() * items.length)]!,
    weighted: (weights) => {
      let total = 0;
      for (const w of weights) total += w;
      let x = float() * total;
      for (let i = 0; i < weights.length; i++) {
        x -= weights[i]!;
        if (x < 0) return i;
      }
      return weights.length - 1;
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - float())) * Math.cos(2 * Math.PI * float()),
  };
}

/**
 * A bijection of [0, size) keyed by `key`: a four-round Feistel network with cycle walking (Black and Rogaway,
 * "Ciphers with Arbitrary Finite Domains", 2002). Identifiers come from it, so that no two indices share one.
 * @param size at most 2^52
 */
export function permute(index: number, size: number, key: number): number {
  if (index < 0 || index >= size) throw new RangeError(`index ${index} is outside [0, ${size})`);
  // Halves are powers of two of at most 26 bits, so that a round is integer arithmetic.
  const bits = Math.max(1, Math.ceil(Math.log2(size) / 2));
  const half = 2 ** bits;
  const mask = half - 1;
  let x = index;
  do {
    let left = Math.floor(x / half);
    let right = x % half;
    for (let round = 1; round <= 4; round++) {
      const swapped = right;
      right = (left + feistelRound(key ^ Math.imul(round, 0x9e3779b1), right)) & mask;
      left = swapped;
    }
    x = left * half + right;
  } while (x >= size);
  return x;
}

/** `hash32` of one number below 2^31. */
function feistelRound(salt: number, word: number): number {
  return finalise(mix(mix(salt, word), 0));
}
