import { randomBytes } from 'node:crypto';

/** A fresh seed: 48 random bits, exact in a double. */
export function freshSeed(): number {
  return randomBytes(6).readUIntBE(0, 6);
}
