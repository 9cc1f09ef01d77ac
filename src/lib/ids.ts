import { hash, randomBytes } from 'node:crypto';

/** A UUID (RFC 9562 version 8: content-derived) that is a pure function of its words. */
export function deterministicUuid(...words: readonly (number | string)[]): string {
  const hex = hash('sha256', words.join('\u001f'), 'hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A fresh seed: 48 random bits, exact in a double. */
export function freshSeed(): number {
  return randomBytes(6).readUIntBE(0, 6);
}
