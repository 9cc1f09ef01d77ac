import { randomBytes } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../lib/clock.ts';

export interface TokenClaims {
  userId: number;
  expiresAtMs: number;
}

export interface Tokens {
  sign(userId: number): Promise<string>;
  /** Null when it is not one of ours, or has ended. */
  verify(token: string): Promise<TokenClaims | null>;
}

export interface TokenOptions {
  secret: string;
  expiresHours: number;
  clock: Clock;
}

const MAX_TOKEN_LENGTH = 2000;

/**
 * JWT, HS256. Browsers read the payload with plain `atob`, so that its base64url must hold neither `-` nor `_`: these
 * stand for six set bits, or five, which ASCII has only in `>`, `?`, `~` and DEL. The claims hold digits and hex.
 */
export function createTokens({ secret, expiresHours, clock }: TokenOptions): Tokens {
  const key = new TextEncoder().encode(secret);
  return {
    sign: async (userId) => {
      const nowSeconds = Math.floor(clock.nowMs() / 1000);
      return await new SignJWT()
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(String(userId))
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + Math.round(expiresHours * 3600))
        .setJti(randomBytes(16).toString('hex'))
        .sign(key);
    },
    verify: async (token) => {
      if (token.length > MAX_TOKEN_LENGTH) return null;
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['HS256'],
          currentDate: new Date(clock.nowMs()),
          requiredClaims: ['sub', 'exp'],
        });
        const userId = Number(payload.sub);
        if (!Number.isSafeInteger(userId) || userId < 1) return null;
        return { userId, expiresAtMs: payload.exp! * 1000 };
      } catch {
        // Whatever is wrong with it, it is worth nothing.
        return null;
      }
    },
  };
}
