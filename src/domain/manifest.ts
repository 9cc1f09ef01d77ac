import { createHash } from 'node:crypto';

/**
 * The manifest of a run is a sum of SHA-256 digests over what it sent, so that the order in which iterations ended
 * does not matter: four lanes of 64 bits, each added modulo 2^64. It finds accidents, not adversaries.
 */
const LANES = 4;

/** A running sum: eight unsigned 32-bit words, the high word of each lane first; plain, so that a job carries it. */
export type DigestSum = number[];

export function createDigestSum(): DigestSum {
  return new Array<number>(2 * LANES).fill(0);
}

function addLane(sum: DigestSum, lane: number, high: number, low: number): void {
  const total = sum[2 * lane + 1]! + low;
  sum[2 * lane + 1] = total >>> 0;
  sum[2 * lane] = (sum[2 * lane]! + high + (total > 0xffff_ffff ? 1 : 0)) >>> 0;
}

/** Adds a SHA-256 digest (32 bytes) to the sum, in place. */
export function addDigest(sum: DigestSum, digest: Uint8Array): void {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  for (let lane = 0; lane < LANES; lane++)
    addLane(sum, lane, view.getUint32(8 * lane), view.getUint32(8 * lane + 4));
}

export type LaneSums = readonly [string, string, string, string];

/** The lanes as signed 64-bit decimal numbers, as SQL's int8 columns take them. */
export function toLanes(sum: DigestSum): LaneSums {
  const lane = (n: number): string => {
    const [high, low] = [sum[2 * n]!, sum[2 * n + 1]!];
    // Of an iteration that sent nothing.
    if (high === 0 && low === 0) return '0';
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)).toString();
  };
  return [lane(0), lane(1), lane(2), lane(3)];
}

/**
 * The manifest hash (SHA-256, hexadecimal) of a run from the sums of its lanes over all iterations: decimal numbers
 * of any size, as SQL's `sum(int8)` gives them.
 */
export function manifestHash(sums: LaneSums): string {
  const lanes = sums.map((sum) => BigInt.asUintN(64, BigInt(sum)).toString(16).padStart(16, '0'));
  return createHash('sha256').update(lanes.join('')).digest('hex');
}
