import { createHash, randomBytes } from 'node:crypto';

/** A UUID (RFC 9562 version 8: content-derived) that is a pure function of its words. */
export function deterministicUuid(...words: readonly (number | string)[]): string {
  const bytes = createHash('sha256').update(words.join('\u001f')).digest();
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A fresh seed: 48 random bits, exact in a double. */
export function freshSeed(): number {
  return randomBytes(6).readUIntBE(0, 6);
}
