import type { IncomingHttpHeaders } from 'node:http';
import { YeeterError } from '../../lib/errors.ts';
import type { ServerStore, UserRecord } from '../../storage/server-port.ts';
import type { User } from '../http/handlers.ts';
import { TooManyRequests } from '../http/refusals.ts';
import { digestOf, isApiKey } from './api-keys.ts';
import type { KeyUses } from './key-uses.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Tokens } from './tokens.ts';

export interface Authenticator {
  /** Whose a token or API key is; null when it is worth nothing. */
  fromCredential(credential: string): Promise<User | null>;
  /** As `fromCredential`; wrong ones count against the address. @throws {YeeterError} TOO_MANY_REQUESTS */
  signIn(credential: string, address: string): Promise<User | null>;
  /** @throws {YeeterError} UNAUTHENTICATED, TOO_MANY_REQUESTS */
  fromHeaders(headers: IncomingHttpHeaders, address: string): Promise<User>;
}

export interface AuthenticatorDeps {
  store: Pick<ServerStore, 'getUser' | 'findApiKey'>;
  tokens: Tokens;
  keyUses: KeyUses;
  /** By address, for credentials that are wrong. */
  badCredentials: RateLimit;
}

function credentialIn({ authorization, ...headers }: IncomingHttpHeaders): string | null {
  const key = headers['x-api-key'];
  if (typeof key === 'string' && key !== '') return key.trim();
  const [, credential] = /^(?:Bearer|ApiKey) +(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  return credential ?? null;
}

const signedIn = ({ id, username, isAdmin }: UserRecord, expiresAtMs: number | null): User => ({
  id,
  username,
  isAdmin,
  expiresAtMs,
});

/** Keys that were good lately, which somebody else's wrong ones at the same address do not shut out. */
const REMEMBERED_KEYS = 10_000;

export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { store, tokens, keyUses, badCredentials } = deps;
  const goodKeys = new Set<string>();

  const fromCredential: Authenticator['fromCredential'] = async (credential) => {
    if (isApiKey(credential)) {
      const digest = digestOf(credential);
      const found = await store.findApiKey(digest);
      if (!found) {
        goodKeys.delete(digest);
        return null;
      }
      if (goodKeys.size >= REMEMBERED_KEYS) goodKeys.clear();
      goodKeys.add(digest);
      keyUses.used(found.keyId);
      return signedIn(found.user, null);
    }
    const claims = await tokens.verify(credential);
    const user = claims && (await store.getUser(claims.userId));
    return user && signedIn(user, claims.expiresAtMs);
  };

  const signIn: Authenticator['signIn'] = async (credential, address) => {
    const wait = badCredentials.waitFor(address);
    // Tokens are checked by their signature alone; unknown keys cost a question to the database.
    const isKnown = !isApiKey(credential) || goodKeys.has(digestOf(credential));
    const user = wait === 0 || isKnown ? await fromCredential(credential) : null;
    if (user) return user;
    if (wait > 0) throw new TooManyRequests('too many wrong credentials from your address', wait);
    badCredentials.count(address);
    return null;
  };

  return {
    fromCredential,
    signIn,
    fromHeaders: async (headers, address) => {
      const credential = credentialIn(headers);
      if (credential === null)
        throw new YeeterError(
          'UNAUTHENTICATED',
          'sign in: send Authorization: Bearer TOKEN, or X-API-Key: ytr_...',
        );
      const user = await signIn(credential, address);
      if (user) return user;
      throw new YeeterError(
        'UNAUTHENTICATED',
        'the token or API key is not valid or has ended: sign in again',
      );
    },
  };
}
