import { hash } from 'node:crypto';

/** Longest unique identifier, characters (PS3.5 section 9.1). */
const MAX_UID_LENGTH = 64;

/**
 * A UID that is a pure function of its root and words: `2.25.` and a content-derived 128-bit number (PS3.5
 * annex B.2), or the configured root and the digits of that number that still fit into 64 characters.
 * @param root null means 2.25; a configured one leaves room for at least 24 digits
 */
export function deriveUid(root: string | null, ...words: readonly (number | string)[]): string {
  const hex = hash('sha256', words.join('\u001f'), 'hex');
  const digits = BigInt(`0x${hex.slice(0, 32)}`).toString();
  if (root === null) return `2.25.${digits}`;
  // The low digits hold the most of the hash; leading zeros are dropped so that the component stays valid.
  const room = digits.slice(-(MAX_UID_LENGTH - 1 - root.length)).replace(/^0+(?=\d)/, '');
  return `${root}.${room}`;
}
