import { YeeterError } from '../lib/errors.ts';

const DISK_FULL_STATE = '53100';
const UNIQUE_VIOLATION = '23505';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';

function sqlState(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** Turns a fault of the database or of its files into STORAGE_FAILED or DISK_FULL; `where` names the store. */
export function storageError(error: unknown, where: string): YeeterError {
  if (error instanceof YeeterError) return error;
  const reason = describe(error);
  const state = sqlState(error);
  if (state === DISK_FULL_STATE || state === 'ENOSPC' || /no space left on device|ENOSPC/i.test(reason)) {
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
