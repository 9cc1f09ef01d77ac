import { DEFAULT_SETTINGS } from '../api/app.ts';
import { createPasswords } from '../api/auth/password.ts';
import type { Config } from '../config/config.ts';
import { toYeeterError } from '../lib/errors.ts';
import type { ServerStore } from '../storage/server-port.ts';

/** Makes the configured administrator when there is no user yet. @returns whether there is an administrator now */
export async function ensureFirstAdmin(
  store: Pick<ServerStore, 'listUsers' | 'createUser'>,
  { firstAdmin }: Config,
): Promise<boolean> {
  const users = await store.listUsers();
  if (users.length > 0) return users.some(({ isAdmin }) => isAdmin);
  if (!firstAdmin) return false;
  const { username, password, email } = firstAdmin;
  const passwordHash = await createPasswords(DEFAULT_SETTINGS.passwordCost).hash(password);
  try {
    await store.createUser({ username, email, passwordHash });
  } catch (error) {
    // Another process of the same deployment was faster.
    if (toYeeterError(error).code !== 'NAME_TAKEN') throw error;
  }
  return true;
}
