import { type ErrorCode, YeeterError } from '../lib/errors.ts';
import { redact } from '../lib/redact.ts';
import { DrizzleQueryError } from './drizzle.ts';
import { loginRefusal } from './login-refusal.ts';

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

/** PostgreSQL's class 08, its shutdowns and its start-up (Appendix A), and too many connections. */
const CONNECTION_STATE = /^(08...|57P0[123]|53300)$/;
const CONNECTION_ERRNOS: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'CONNECT_REFUSED',
  ETIMEDOUT: 'CONNECT_TIMEOUT',
  ENOTFOUND: 'NAME_NOT_FOUND',
  EAI_AGAIN: 'NAME_NOT_FOUND',
  ECONNRESET: 'CONNECT_FAILED',
  EPIPE: 'CONNECT_FAILED',
  EHOSTUNREACH: 'CONNECT_FAILED',
  ENETUNREACH: 'CONNECT_FAILED',
};
/** What the driver says in words alone. */
const CONNECTION_WORDS = /^Connection terminated|connection error and is not queryable/;
const TIMEOUT_WORDS =
  /^(Query read timeout|timeout exceeded when trying to connect|timeout expired)|due to connection timeout/;

const HINTS: Partial<Record<ErrorCode, string>> = {
  CONNECT_REFUSED: 'nothing listens there: check host and port, and that the database is started',
  CONNECT_TIMEOUT: 'no answer in time: check host, port and firewall, and the load on the database',
  NAME_NOT_FOUND: 'the host name does not resolve: check its spelling or use an address',
};

function connectionCode(error: unknown): ErrorCode | null {
  if (error instanceof AggregateError) return error.errors.map(connectionCode).find((code) => code) ?? null;
  const state = sqlState(error);
  if (state !== null) {
    return CONNECTION_STATE.test(state) ? 'CONNECT_FAILED' : (CONNECTION_ERRNOS[state] ?? null);
  }
  if (!(error instanceof Error)) return null;
  if (TIMEOUT_WORDS.test(error.message)) return 'CONNECT_TIMEOUT';
  return CONNECTION_WORDS.test(error.message) ? 'CONNECT_FAILED' : null;
}

function isDiskFull(error: unknown): boolean {
  const state = sqlState(error);
  if (state === DISK_FULL_STATE || state === 'ENOSPC') return true;
  if ((error as { errno?: unknown } | null)?.errno === WASI_NO_SPACE && !(error instanceof Error))
    return true;
  return /no space left on device|ENOSPC/i.test(describe(error));
}

/**
 * Turns a fault of the database, of the way to it or of its files into CONNECT_*, LOGIN_REFUSED, STORAGE_FAILED or
 * DISK_FULL; `where` names the store. What is one of ours already stays so, also inside Drizzle's wrapper, whose message
 * would hold the query's values.
 */
export function storageError(error: unknown, where: string): YeeterError {
  if (error instanceof YeeterError) return error;
  if (error instanceof DrizzleQueryError) return storageError(error.cause, where);
  const reason = redact(describe(error));
  if (isDiskFull(error)) {
    return new YeeterError(
      'DISK_FULL',
      `${where}: no space left on its disk (${reason}): free some, or choose a data folder on another disk`,
      { cause: error },
    );
  }
  const refusal = loginRefusal(sqlState(error), reason);
  if (refusal) return new YeeterError('LOGIN_REFUSED', `${where}: ${refusal}`, { cause: error });
  const connection = connectionCode(error);
  if (connection)
    return new YeeterError(connection, `${where}: ${HINTS[connection] ?? reason}`, { cause: error });
  return new YeeterError('STORAGE_FAILED', `${where}: ${reason}`, { cause: error });
}

const CONNECTION_CODES: readonly ErrorCode[] = [
  'CONNECT_REFUSED',
  'CONNECT_TIMEOUT',
  'CONNECT_FAILED',
  'NAME_NOT_FOUND',
];

/** The database could not be reached, or went away: what was asked may have been done or not. */
export function isConnectionFault(error: unknown): boolean {
  return error instanceof YeeterError && CONNECTION_CODES.includes(error.code);
}

/** A row was there already, or two writers met: the same work succeeds when it skips what exists. */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error instanceof YeeterError ? error.cause : error);
  return state === UNIQUE_VIOLATION || state === DEADLOCK || state === SERIALIZATION_FAILURE;
}
