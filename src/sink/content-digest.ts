import { createHash } from 'node:crypto';

/** A digest of a bag of messages or files: equal bags give equal digests, in whatever order they came. */
export interface ContentDigest {
  add(content: Uint8Array): void;
  /** 64 hexadecimal digits. */
  hex(): string;
}

/** Adds up SHA-256 digests in eight lanes of 32 bits. It finds accidents, not adversaries. */
export function createContentDigest(): ContentDigest {
  const lanes = new Uint32Array(8);
  return {
    add(content) {
      const digest = createHash('sha256').update(content).digest();
      for (let lane = 0; lane < 8; lane++) lanes[lane]! += digest.readUInt32BE(lane * 4);
    },
    hex: () => [...lanes].map((lane) => lane.toString(16).padStart(8, '0')).join(''),
  };
}
