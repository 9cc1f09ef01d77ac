/**
 * Every fault that a person can meet has one code here and one line in `docs/errors.md` (held by a test).
 * `retryable` says whether the same request may succeed later without anybody changing anything.
 */
export const ERROR_CODES = {
  // usage and configuration
  USAGE: { retryable: false },
  CONFIG_INVALID: { retryable: false },
  TEMPLATE_INVALID: { retryable: false },
  TEMPLATE_UNREADABLE: { retryable: false },
  GENERATOR_INVALID: { retryable: false },
  NAMESPACE_EXHAUSTED: { retryable: false },
  TARGET_REFUSED: { retryable: false },
  // network
  CONNECT_REFUSED: { retryable: true },
  CONNECT_TIMEOUT: { retryable: true },
  NAME_NOT_FOUND: { retryable: true },
  CONNECT_FAILED: { retryable: true },
  LOGIN_REFUSED: { retryable: false },
  TLS_FAILED: { retryable: false },
  PORT_IN_USE: { retryable: false },
  CANCELLED: { retryable: false },
  // HL7 and MLLP
  HL7_PARSE: { retryable: false },
  HL7_PATH: { retryable: false },
  HL7_CHARSET: { retryable: false },
  MLLP_TIMEOUT: { retryable: true },
  MLLP_CLOSED: { retryable: true },
  MLLP_GARBAGE: { retryable: true },
  MLLP_FRAME_TOO_LARGE: { retryable: false },
  MLLP_WRONG_ACK: { retryable: true },
  MLLP_NAK_ERROR: { retryable: true },
  MLLP_NAK_REJECT: { retryable: false },
  MLLP_UNSENDABLE: { retryable: false },
  // DICOM
  DICOM_DATASET: { retryable: false },
  DICOM_AE_TITLE: { retryable: false },
  DICOM_ASSOCIATION_REJECTED: { retryable: true },
  DICOM_ABORTED: { retryable: true },
  DICOM_CLOSED: { retryable: true },
  DICOM_TIMEOUT: { retryable: true },
  DICOM_CONTEXT_REFUSED: { retryable: false },
  DICOM_PROTOCOL: { retryable: false },
  DICOM_STORE_FAILED: { retryable: false },
  DICOM_FIND_FAILED: { retryable: false },
  DICOM_MPPS_FAILED: { retryable: false },
  WORKLIST_NO_MATCH: { retryable: true },
  WORKLIST_SEVERAL: { retryable: false },
  // queue, storage, files
  JOB_INVALID: { retryable: false },
  JOB_UNDELIVERABLE: { retryable: false },
  JOB_VERSION: { retryable: true },
  QUEUE_COUNT_CHANGED: { retryable: false },
  QUEUE_MISMATCH: { retryable: false },
  QUEUE_PUBLISH_FAILED: { retryable: true },
  QUEUE_UNREACHABLE: { retryable: true },
  SCHEMA_OUTDATED: { retryable: false },
  STORAGE_LOCKED: { retryable: false },
  STORAGE_FAILED: { retryable: false },
  DISK_FULL: { retryable: false },
  RUN_FENCED: { retryable: false },
  RUN_STATE: { retryable: false },
  RUN_NOT_FOUND: { retryable: false },
  // server
  UNAUTHENTICATED: { retryable: false },
  FORBIDDEN: { retryable: false },
  NOT_FOUND: { retryable: false },
  REQUEST_MALFORMED: { retryable: false },
  REQUEST_TOO_LARGE: { retryable: false },
  REQUEST_TIMEOUT: { retryable: true },
  LISTENER_RUNNING: { retryable: false },
  VALIDATION: { retryable: false },
  TOO_MANY_REQUESTS: { retryable: true },
  NAME_TAKEN: { retryable: false },
  LAST_ADMIN: { retryable: false },
  TEMPLATE_IN_USE: { retryable: false },
  SCALING_UNAVAILABLE: { retryable: true },
  SERVER_REFUSED: { retryable: false },
  SERVER_ANSWER: { retryable: false },
  INTERNAL: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface YeeterErrorOptions {
  cause?: unknown;
  /** Overrides the code's own; for example an association rejected for good against one rejected for now. */
  retryable?: boolean;
}

/** A fault with a stable code and a message that says what was wrong, where, and what to do. */
export class YeeterError extends Error {
  override readonly name = 'YeeterError';
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: YeeterErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
  }
}

/** The outcome of something that may fail in expected ways; only faults of the program throw. */
export type Failure = { ok: false; code: ErrorCode; message: string; retryable: boolean };

export function failure(
  code: ErrorCode,
  message: string,
  retryable: boolean = ERROR_CODES[code].retryable,
): Failure {
  return { ok: false, code, message, retryable };
}

/** Turns anything thrown into a `YeeterError`; unknown faults become `INTERNAL` and keep their cause. */
export function toYeeterError(error: unknown): YeeterError {
  if (error instanceof YeeterError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new YeeterError('INTERNAL', message, { cause: error });
}

const NETWORK_CODES: Record<string, ErrorCode> = {
  ECONNREFUSED: 'CONNECT_REFUSED',
  ETIMEDOUT: 'CONNECT_TIMEOUT',
  ENOTFOUND: 'NAME_NOT_FOUND',
  EAI_AGAIN: 'NAME_NOT_FOUND',
  EADDRINUSE: 'PORT_IN_USE',
};

/**
 * Maps a `node:net` error to a `YeeterError`; `where` reads like "MLLP endpoint 127.0.0.1:2575", `peer` is what should
 * listen there.
 */
export function networkError(
  error: unknown,
  where: string,
  fallback: ErrorCode = 'CONNECT_FAILED',
  peer = 'the system under test',
): YeeterError {
  if (error instanceof YeeterError) return error;
  const errno = (error as NodeJS.ErrnoException | null)?.code ?? '';
  const code = NETWORK_CODES[errno] ?? fallback;
  const hint: Partial<Record<ErrorCode, string>> = {
    CONNECT_REFUSED: `nothing listens there: check host and port, and that ${peer} is started`,
    CONNECT_TIMEOUT: 'no answer to the connection attempt: check host, port and firewall',
    NAME_NOT_FOUND: 'the host name does not resolve: check its spelling or use an address',
    PORT_IN_USE: 'the port is taken: choose another or stop the program that holds it',
  };
  const reason = hint[code] ?? (error instanceof Error ? error.message : String(error));
  return new YeeterError(code, `${where}: ${reason}`, { cause: error });
}
