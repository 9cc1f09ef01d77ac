import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { YeeterError } from '../../lib/errors.ts';

/** What the file holds; fields of other clients that share it stay as they are. */
const FILE = z.looseObject({
  api_url: z.string().optional(),
  access_token: z.string().nullish(),
  api_key: z.string().nullish(),
  username: z.string().nullish(),
});

export type StoredCredentials = z.output<typeof FILE>;

/** @param given as `YEETER_CONFIG_PATH` has it; null means `~/.yeeter/config.json` */
export function credentialsPath(given: string | null): string {
  if (given === null) return join(homedir(), '.yeeter', 'config.json');
  return resolve(given.replace(/^~(?=\/|$)/, homedir()));
}

/** Empty when there is no file. @throws {YeeterError} CONFIG_INVALID */
export async function readCredentials(path: string): Promise<StoredCredentials> {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw unusable(path, error);
  }
  try {
    return FILE.parse(JSON.parse(content));
  } catch {
    // The parser's own words would quote the file, and with it what is secret.
    throw new YeeterError(
      'CONFIG_INVALID',
      `${path} does not hold the credentials of a server: remove it and run "yeeter login"`,
    );
  }
}

/**
 * Writes the file beside its place and renames it, so that it is whole at any moment and readable by its owner alone
 * from the first byte on.
 * @throws {YeeterError} CONFIG_INVALID when it cannot be written
 */
export async function writeCredentials(path: string, credentials: StoredCredentials): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(credentials, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (error) {
    // The first fault is the one to tell.
    await rm(temporary, { force: true }).catch(() => {});
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): YeeterError {
  const reason = error instanceof Error ? error.message : String(error);
  return new YeeterError('CONFIG_INVALID', `${path} cannot be used (${reason}): set YEETER_CONFIG_PATH`, {
    cause: error,
  });
}
