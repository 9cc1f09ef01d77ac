import { createHash, randomBytes } from 'node:crypto';

const API_KEY = /^ytr_[\w-]{43}$/;
const PREFIX_LENGTH = 12;

export interface MadeKey {
  /** Shown once, never kept. */
  raw: string;
  prefix: string;
  digest: string;
}

export function digestOf(raw: string): string {
  return createHash('sha256').update(raw).digest('hex');
}

/** `ytr_` and 43 url-safe characters: 256 random bits, so that a plain digest is as good as a slow one. */
export function makeApiKey(): MadeKey {
  const raw = `ytr_${randomBytes(32).toString('base64url')}`;
  return { raw, prefix: raw.slice(0, PREFIX_LENGTH), digest: digestOf(raw) };
}

export function isApiKey(text: string): boolean {
  return API_KEY.test(text);
}
