import { DrizzleQueryError } from 'drizzle-orm/errors';
import { YeeterError } from '../lib/errors.ts';

const DISK_FULL_STATE = '53100';
const UNIQUE_VIOLATION = '23505';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';

/** ENOSPC as WebAssembly programs know it (WASI, errno). */
const WASI_NO_SPACE = 51;

function sqlState(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describe).join('; ');
  if (error instanceof Error) return error.message;
  const errno = (error as { errno?: unknown } | null)?.errno;
  return typeof errno === 'number' ? `file system error ${errno}` : String(error);
}

function isDiskFull(error: unknown): boolean {
  const state = sqlState(error);
  if (state === DISK_FULL_STATE || state === 'ENOSPC') return true;
  if ((error as { errno?: unknown } | null)?.errno === WASI_NO_SPACE && !(error instanceof Error))
    return true;
  return /no space left on device|ENOSPC/i.test(describe(error));
}

/**
 * Turns a fault of the database or of its files into STORAGE_FAILED or DISK_FULL; `where` names the store. What is
 * one of ours already stays so, also inside Drizzle's wrapper, whose message would hold the query's values.
 */
export function storageError(error: unknown, where: string): YeeterError {
  if (error instanceof YeeterError) return error;
  if (error instanceof DrizzleQueryError) return storageError(error.cause, where);
  const reason = describe(error);
  if (isDiskFull(error)) {
    return new YeeterError(
      'DISK_FULL',
      `${where}: no space left on its disk (${reason}): free some, or choose a data folder on another disk`,
      { cause: error },
    );
  }
  return new YeeterError('STORAGE_FAILED', `${where}: ${reason}`, { cause: error });
}

/** A row was there already, or two writers met: the same work succeeds when it skips what exists. */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error instanceof YeeterError ? error.cause : error);
  return state === UNIQUE_VIOLATION || state === DEADLOCK || state === SERIALIZATION_FAILURE;
}
