import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng, hash32, permute } from './rng.ts';

describe('permute', () => {
  it('gives each index below the size exactly one place below the size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.integer(), (size, key) => {
        const places = new Set(Array.from({ length: size }, (_, index) => permute(index, size, key)));
        assert.equal(places.size, size);
        for (const place of places) assert.ok(place >= 0 && place < size);
      }),
      { numRuns: 50 },
    );
  });

  it('stays within large sizes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 52 }), fc.integer(), (size, key) => {
        const place = permute(size - 1, size, key);
        assert.ok(Number.isSafeInteger(place) && place >= 0 && place < size);
      }),
    );
  });

  it('gives the same places on every machine and in every release', () => {
    assert.deepEqual(
      [0, 1, 99_999_999].map((index) => permute(index, 100_000_000, 12_345)),
      [4757859, 22424761, 95387963],
    );
  });

  it('refuses an index outside its size', () => {
    assert.throws(() => permute(10, 10, 1), RangeError);
    assert.throws(() => permute(-1, 10, 1), RangeError);
  });
});

describe('createRng', () => {
  it('draws the same for the same words and something else for others', () => {
    const draw = (...words: (string | number)[]): number[] => {
      const rng = createRng(...words);
      return Array.from({ length: 4 }, () => rng.next());
    };
    assert.deepEqual(draw('a', 1), draw('a', 1));
    assert.notDeepEqual(draw('a', 1), draw('a', 2));
    assert.notDeepEqual(draw('a', 1), draw('a', 1 + 2 ** 32));
    assert.notDeepEqual(draw('ab', 'c'), draw('a', 'bc'));
  });

  it('draws integers from both ends of a range', () => {
    const rng = createRng(3);
    const drawn = new Set(Array.from({ length: 200 }, () => rng.int(2, 4)));
    assert.deepEqual([...drawn].sort(), [2, 3, 4]);
  });

  it('draws by weight, never what weighs nothing', () => {
    const rng = createRng(4);
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i++) counts[rng.weighted([0, 1, 2], (n) => [1, 0, 3][n]!)]! += 1;
    assert.equal(counts[1], 0);
    assert.ok(Math.abs(counts[2]! / 3000 - 0.75) < 0.05);
  });
});

describe('hash32', () => {
  it('is an unsigned 32-bit number', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), (salt, word) => {
        const hash = hash32(salt, word);
        assert.equal(hash, hash >>> 0);
      }),
    );
  });
});
