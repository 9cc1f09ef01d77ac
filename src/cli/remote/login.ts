import { YeeterError } from '../../lib/errors.ts';
import { LOGIN } from './answers.ts';
import { writeCredentials } from './credentials.ts';
import { say } from './output.ts';
import { printable } from './printable.ts';
import { ask, askSecret, canAsk, secretFromStdin } from './secret-input.ts';
import { type Account, anonymousClient, openAccount, type ServerFlags } from './session.ts';

export interface LoginFlags extends ServerFlags {
  username?: string;
  password?: string;
  passwordStdin: boolean;
}

/** Signs in and keeps the token. @throws {YeeterError} UNAUTHENTICATED, USAGE */
export async function login(flags: LoginFlags): Promise<void> {
  const account = await openAccount(flags);
  const username = flags.username ?? (await asked('user name', '--username', () => ask('User name: ')));
  const password = await passwordOf(flags);
  await signIn(account, '/api/auth/login', { username, password });
}

/** Makes an account and keeps its token; the first account of a server is its administrator's. */
export async function register(flags: LoginFlags & { email?: string }): Promise<void> {
  const account = await openAccount(flags);
  const username = flags.username ?? (await asked('user name', '--username', () => ask('User name: ')));
  const email = flags.email ?? (await asked('mail address', '--email', () => ask('Mail address: ')));
  const password = await passwordOf(flags);
  await signIn(account, '/api/auth/register', { username, email, password });
}

async function signIn(account: Account, path: string, body: object): Promise<void> {
  const answer = await anonymousClient(account).json(LOGIN, { method: 'POST', path, body });
  const { path: file, stored, apiUrl } = account;
  const isSameServer = stored.api_url === undefined || stored.api_url === apiUrl;
  await writeCredentials(file, {
    ...stored,
    api_url: apiUrl,
    access_token: answer.access_token,
    username: answer.username,
    // A key is of use at its own server only.
    ...(isSameServer ? {} : { api_key: null }),
  });
  const as = `${printable(answer.username)}${answer.is_admin ? ', an administrator' : ''}`;
  say(`signed in to ${apiUrl} as ${as}; the token is in ${file}`);
  if (isSameServer && stored.api_key) {
    process.stderr.write('the stored API key goes on being used: "yeeter api-key --clear" removes it\n');
  }
}

/** Keeps an API key, to be used in place of a token. @throws {YeeterError} USAGE */
export async function storeApiKey(flags: ServerFlags & { value?: string }): Promise<void> {
  const account = await openAccount(flags);
  const key = (flags.value ?? (canAsk() ? await askSecret('API key: ') : await secretFromStdin())).trim();
  if (!/^ytr_[\w-]{12,}$/.test(key)) {
    throw new YeeterError(
      'USAGE',
      'that is no API key: they begin with ytr_, as "yeeter api-keys create" shows them',
    );
  }
  await keepApiKey(account, key);
  say(`the API key for ${account.apiUrl} is in ${account.path}`);
}

export async function keepApiKey({ path, stored, apiUrl }: Account, key: string): Promise<void> {
  const isSameServer = stored.api_url === undefined || stored.api_url === apiUrl;
  const token = isSameServer ? {} : { access_token: null, username: null };
  await writeCredentials(path, { ...stored, ...token, api_url: apiUrl, api_key: key });
}

export async function clearApiKey(flags: ServerFlags): Promise<void> {
  const { path, stored } = await openAccount(flags);
  if (!stored.api_key) return say(`no API key is stored in ${path}`);
  const { api_key: _, ...rest } = stored;
  await writeCredentials(path, rest);
  say(`the API key is gone from ${path}; on the server it stays until "yeeter api-keys delete"`);
}

async function passwordOf({ password, passwordStdin }: LoginFlags): Promise<string> {
  if (password !== undefined && passwordStdin) {
    throw new YeeterError('USAGE', 'give either --password or --password-stdin');
  }
  if (passwordStdin) return secretFromStdin();
  return password ?? asked('password', '--password-stdin', () => askSecret('Password: '));
}

function asked(what: string, option: string, question: () => Promise<string>): Promise<string> {
  if (canAsk()) return question();
  throw new YeeterError('USAGE', `the ${what} is missing and nobody is there to be asked: use ${option}`);
}
