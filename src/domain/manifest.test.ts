import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addDigest, createDigestSum, type DigestSum, manifestHash, toLanes } from './manifest.ts';

const digestOf = (text: string): Uint8Array => createHash('sha256').update(text).digest();

function sumOf(texts: readonly string[]): DigestSum {
  const sum = createDigestSum();
  for (const text of texts) addDigest(sum, digestOf(text));
  return sum;
}

/** The plain definition, with big integers. */
function laneOf(texts: readonly string[], lane: number): bigint {
  const lanes = texts.map((text) => Buffer.from(digestOf(text)).readBigUInt64BE(8 * lane));
  return BigInt.asUintN(
    64,
    lanes.reduce((a, b) => a + b, 0n),
  );
}

describe('manifest', () => {
  it('does not depend on the order of the digests', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 12 }), (texts) => {
        assert.deepEqual(sumOf(texts), sumOf(texts.toReversed()));
      }),
    );
  });

  it('adds each lane modulo 2^64', () => {
    const texts = Array.from({ length: 50 }, (_, i) => `message ${i}`);
    const expected = [0, 1, 2, 3].map((lane) => BigInt.asIntN(64, laneOf(texts, lane)).toString());
    assert.deepEqual(toLanes(sumOf(texts)), expected);
  });

  it('is the same summed here or in SQL', () => {
    const parts = [['a', 'b'], ['c'], ['d', 'e', 'f']];
    const sql: [bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n];
    for (const part of parts)
      for (const [i, lane] of toLanes(sumOf(part)).entries()) sql[i] = sql[i]! + BigInt(lane);
    const [a, b, c, d] = sql.map(String) as [string, string, string, string];
    assert.equal(manifestHash([a, b, c, d]), manifestHash(toLanes(sumOf(parts.flat()))));
  });

  it('gives lanes that fit into a signed 64-bit column', () => {
    assert.deepEqual(toLanes(new Array(8).fill(0xffff_ffff)), ['-1', '-1', '-1', '-1']);
    assert.deepEqual(toLanes(createDigestSum()), ['0', '0', '0', '0']);
  });

  it('survives a job as JSON', () => {
    const sum = sumOf(['a', 'b']);
    assert.deepEqual(JSON.parse(JSON.stringify(sum)), sum);
  });

  it('differs when one digest differs', () => {
    assert.notEqual(manifestHash(toLanes(sumOf(['a', 'b']))), manifestHash(toLanes(sumOf(['a', 'c']))));
  });
});
