import { z } from 'zod';
import { ANYTHING } from './answers.ts';
import { keepApiKey } from './login.ts';
import { type OutputFormat, printJson, printListing, say } from './output.ts';
import { printable } from './printable.ts';
import { openAccount, openClient, type ServerFlags } from './session.ts';

const KEYS = z.array(z.looseObject({ id: z.int(), name: z.string() }));
const NEW_KEY = z.looseObject({ name: z.string(), raw_key: z.string() });

export async function listApiKeys(flags: ServerFlags & { format: OutputFormat }): Promise<void> {
  const client = await openClient(flags);
  const keys = await client.json(KEYS, { path: '/api/admin/apikeys' });
  const columns = ['id', 'name', 'key_prefix', 'created_at', 'last_used', 'is_active'];
  await printListing({ raw: keys, rows: keys, columns, empty: 'you have no API keys' }, flags.format);
}

/** The server shows a key this once; `store` keeps it in place of printing it. */
export async function createApiKey(
  name: string,
  flags: ServerFlags & { format: 'table' | 'json'; store: boolean },
): Promise<void> {
  const client = await openClient(flags);
  const key = await client.json(NEW_KEY, { method: 'POST', path: '/api/admin/apikeys', body: { name } });
  if (flags.store) {
    const account = await openAccount(flags);
    await keepApiKey(account, key.raw_key);
    return say(`the API key "${printable(key.name)}" for ${account.apiUrl} is in ${account.path}`);
  }
  if (flags.format === 'json') return printJson(key);
  say(printable(key.raw_key));
  process.stderr.write('this is the only time that the key is shown\n');
}

export async function deleteApiKey(id: number, flags: ServerFlags): Promise<void> {
  const client = await openClient(flags);
  await client.json(ANYTHING, { method: 'DELETE', path: `/api/admin/apikeys/${id}` });
  say(`API key ${id} is deleted`);
}
