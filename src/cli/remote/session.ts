import { loadConfig } from '../../config/config.ts';
import { YeeterError } from '../../lib/errors.ts';
import { credentialsPath, readCredentials, type StoredCredentials } from './credentials.ts';
import { type ApiClient, type Credentials, createApiClient } from './http.ts';

export interface ServerFlags {
  apiUrl?: string;
  insecure?: boolean;
}

/** Where the server is, and what is known of who asks. */
export interface Account {
  apiUrl: string;
  insecure: boolean;
  /** The file of credentials, and what it holds. */
  path: string;
  stored: StoredCredentials;
  /** From the environment. */
  apiKey: string | null;
}

export const DEFAULT_API_URL = 'http://127.0.0.1:5001';

/** The flag wins over the environment, the environment over the server of the last login. */
export async function openAccount(flags: ServerFlags): Promise<Account> {
  const config = loadConfig({ YEETER_API_URL: flags.apiUrl });
  const path = credentialsPath(config.configPath);
  const stored = await readCredentials(path);
  const apiUrl = serverAddress(config.apiUrl ?? stored.api_url ?? DEFAULT_API_URL);
  return { apiUrl, insecure: flags.insecure ?? false, path, stored, apiKey: config.apiKey };
}

/** A client without credentials, for those who have none yet. */
export function anonymousClient({ apiUrl, insecure }: Account): ApiClient {
  return createApiClient({ apiUrl, insecure, credentials: null });
}

/** @throws {YeeterError} UNAUTHENTICATED when nothing that the server could know us by is stored for it */
export async function openClient(flags: ServerFlags): Promise<ApiClient> {
  const account = await openAccount(flags);
  const { apiUrl, insecure } = account;
  return createApiClient({ apiUrl, insecure, credentials: credentialsOf(account) });
}

/** A key wins over a token, since somebody put it there; none is ever sent to another server than its own. */
export function credentialsOf({ apiUrl, stored, apiKey }: Account): NonNullable<Credentials> {
  if (apiKey !== null) return { kind: 'api_key', value: apiKey };
  const own = stored.api_key ?? stored.access_token ?? null;
  if (own === null) {
    throw new YeeterError(
      'UNAUTHENTICATED',
      `no credentials for ${apiUrl}: run "yeeter login" or "yeeter api-key", or set YEETER_API_KEY`,
    );
  }
  if (stored.api_url !== undefined && serverAddress(stored.api_url) !== apiUrl) {
    throw new YeeterError(
      'UNAUTHENTICATED',
      `the stored credentials are those of ${stored.api_url}, not of ${apiUrl}: ` +
        `run "yeeter login --api-url ${apiUrl}"`,
    );
  }
  return { kind: stored.api_key ? 'api_key' : 'token', value: own };
}

/** A server's address in one spelling. @throws {YeeterError} USAGE */
export function serverAddress(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new YeeterError('USAGE', `"${text}" is no address of a server, for example ${DEFAULT_API_URL}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new YeeterError('USAGE', 'the address of a server holds no user and password: run "yeeter login"');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
