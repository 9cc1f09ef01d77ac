import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { YeeterError } from '../lib/errors.ts';

/** The configured secret, else that of the data folder, which is made once and readable by its owner alone. */
export async function jwtSecretOf(config: Config, dataDir: string): Promise<string> {
  if (config.jwtSecret) return config.jwtSecret;
  const file = join(dataDir, 'jwt-secret');
  try {
    const secret = (await readFile(file, 'utf8')).trim();
    await chmod(file, 0o600);
    if (secret.length >= 32) return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(file, error);
  }
  const secret = randomBytes(48).toString('base64url');
  await writeFile(file, `${secret}\n`, { mode: 0o600 }).catch((error) => {
    throw unreadable(file, error);
  });
  return secret;
}

function unreadable(file: string, cause: unknown): YeeterError {
  const reason = (cause as Error).message;
  return new YeeterError('STORAGE_FAILED', `the secret of tokens, ${file}: ${reason}`, { cause });
}
