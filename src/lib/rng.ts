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
  /** One of `items`, drawn in proportion to their weights; never one that weighs nothing. */
  weighted<T>(items: readonly T[], weightOf: (item: T, at: number) => number): T;
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
  return hashOf(salt, words);
}

function hashOf(salt: number, words: readonly (number | string)[]): number {
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
  return new Sfc32(words);
}

/** A class, since several are made for each patient and their methods are better not made each time. */
class Sfc32 implements Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(words: readonly (number | string)[]) {
    this.#a = hashOf(0x243f6a88, words) | 0;
    this.#b = hashOf(0x85a308d3, words) | 0;
    this.#c = hashOf(0x13198a2e, words) | 0;
    for (let i = 0; i < 8; i++) this.next();
  }

  next(): number {
    const t = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  float(): number {
    return this.next() / 0x1_0000_0000;
  }

  int(min: number, max: number): number {
    return min + Math.floor(this.float() * (max - min + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.float() * items.length)]!;
  }

  weighted<T>(items: readonly T[], weightOf: (item: T, at: number) => number): T {
    let total = 0;
    for (let at = 0; at < items.length; at++) total += weightOf(items[at]!, at);
    let x = this.float() * total;
    let last = 0;
    for (let at = 0; at < items.length; at++) {
      const weight = weightOf(items[at]!, at);
      x -= weight;
      if (x < 0) return items[at]!;
      // What is left of `x` by rounding goes to the last one that weighs something.
      if (weight > 0) last = at;
    }
    return items[last]!;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.float())) * Math.cos(2 * Math.PI * this.float());
  }
}

/**
 * A bijection of [0, size) keyed by `key`: a four-round Feistel network with cycle walking (Black and Rogaway,
 * "Ciphers with Arbitrary Finite Domains", 2002). Identifiers come from it, so that no two indices share one.
 * @param size at most 2^52
 */
export function permute(index: number, size: number, key: number): number {
  if (index < 0 || index >= size) throw new RangeError(`index ${index} is outside [0, ${size})`);
  // Halves are powers of two of at most 26 bits, so that a round is integer arithmetic.
  const half = halfOf(size);
  const mask = half - 1;
  let left = Math.floor(index / half);
  let right = index % half;
  do {
    for (let round = 1; round <= 4; round++) {
      const swapped = right;
      right = (left + feistelRound(key ^ Math.imul(round, 0x9e3779b1), right)) & mask;
      left = swapped;
    }
  } while (left * half + right >= size);
  return left * half + right;
}

/** The last one is kept: most calls are of one size. */
let lastHalf = { size: 1, half: 2 };

/** The smallest power of two whose square is at least `size`, and at least 2. */
function halfOf(size: number): number {
  if (size !== lastHalf.size) {
    lastHalf = { size, half: 2 ** Math.max(1, Math.ceil(Math.log2(size) / 2)) };
  }
  return lastHalf.half;
}

/** `hash32` of one number below 2^31. */
function feistelRound(salt: number, word: number): number {
  return finalise(mix(mix(salt, word), 0));
}
