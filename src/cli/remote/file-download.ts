import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { YeeterError } from '../../lib/errors.ts';
import { unreachable } from './http.ts';

/**
 * Streams bytes into a file, which appears when it is whole: they go into a file beside it, which is renamed.
 * @param through changes them on their way
 * @throws {YeeterError} DISK_FULL, STORAGE_FAILED, CONNECT_FAILED when the bytes end too early
 */
export async function saveTo(
  path: string,
  bytes: Readable,
  apiUrl: string,
  ...through: Transform[]
): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await pipeline([bytes, ...through, createWriteStream(temporary, { flags: 'wx' })]);
    await rename(temporary, path);
  } catch (error) {
    // The first fault is the one to tell.
    await rm(temporary, { force: true }).catch(() => {});
    throw fileFault(path, error as NodeJS.ErrnoException, apiUrl);
  }
}

function fileFault(path: string, error: NodeJS.ErrnoException, apiUrl: string): YeeterError {
  if (error instanceof YeeterError) return error;
  // What the file system says names a file.
  if (error.path === undefined && error.code !== 'ENOSPC') return unreachable(error, apiUrl);
  const code = error.code === 'ENOSPC' ? 'DISK_FULL' : 'STORAGE_FAILED';
  return new YeeterError(code, `${path} could not be written: ${error.message}`, { cause: error });
}
