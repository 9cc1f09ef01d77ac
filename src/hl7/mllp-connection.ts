import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import { type ConnectionOptions as TlsOptions, connect as tlsConnect } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { type ErrorCode, failure, networkError } from '../lib/errors.ts';
import {
  type Ack,
  type AckCode,
  type AckCondition,
  acceptanceOf,
  buildAck,
  isAckAsked,
  parseAck,
  readHeader,
} from './ack.ts';
import { createFrameDecoder, frame } from './mllp-codec.ts';

/** What became of one message. `serviceUs` is the wire call alone: from the write to the ACK decoded. */
export type MllpResult =
  | { ok: true; code: 'AA' | 'CA'; ack: Buffer; serviceUs: number }
  | {
      ok: false;
      code: ErrorCode;
      message: string;
      retryable: boolean;
      /** MSA-1 of a refusal; null when no acknowledgement of this message came. */
      ackCode: AckCode | null;
      /** What the peer answered, also when it was no acknowledgement of this message. */
      ack: Buffer | null;
      /** Null when the message was never written. */
      serviceUs: number | null;
    };

/** The application acknowledgement that follows a commit acknowledgement in enhanced mode. */
export interface ApplicationAck {
  controlId: string;
  code: 'AA' | 'AE' | 'AR';
  /** From the write of the message to this acknowledgement decoded. */
  latencyUs: number;
}

/** A message on its way; the connection writes `sentUs`, everything else is its sender's. */
export interface MllpRequest {
  readonly message: Buffer;
  /** The MSA-2 that answers it. */
  readonly controlId: string;
  /** When an application acknowledgement follows CA. */
  readonly application: AckCondition;
  /** When it was written, by the monotonic clock; -1 before. */
  sentUs: number;
}

/** Counts since the pool was made, shared by its connections. */
export interface MllpCounters {
  connectionsOpened: number;
  connectionsFailed: number;
  /** Replies that answered nothing that was asked; each cost its connection. */
  strayReplies: number;
  applicationAcks: number;
  /** Application acknowledgements that did not come in time, or whose connection ended before. */
  applicationAcksMissed: number;
}

export interface MllpConnectionOptions {
  host: string;
  port: number;
  connectTimeoutMs: number;
  responseTimeoutMs: number;
  applicationAckTimeoutMs: number;
  maxFrameBytes: number;
  tls: TlsOptions | null;
  clock: Clock;
  counters: MllpCounters;
  onApplicationAck: ((ack: ApplicationAck) => void) | null;
}

export interface MllpConnectionEvents<R extends MllpRequest> {
  /** Told once for every request that was started. */
  onResult(request: R, result: MllpResult): void;
  /** The connection has nothing in flight and may start another request, opening anew where it must. */
  onFree(connection: MllpConnection<R>): void;
  onConnectFailed(result: MllpResult): void;
}

export interface MllpConnection<R extends MllpRequest> {
  /** Connected, with or without a request in flight. */
  readonly isOpen: boolean;
  readonly request: R | null;
  /** Application acknowledgements still to come. */
  readonly awaited: number;
  /** Sends a request, opening the connection when it is not. Only when free: one is in flight at a time. */
  start(request: R): void;
  /** Ends the request in flight with a failure, and the connection with it, so that its late ACK meets nobody. */
  fail(code: ErrorCode, reason: string): void;
  /** Fails what is past its deadline. */
  checkDeadlines(nowUs: number): void;
  close(): Promise<void>;
}

/** ACKs are short; a longer reply is gathered over several reads. */
const READ_BUFFER_BYTES = 16 * 1024;

interface AwaitedAck {
  sentUs: number;
  deadlineUs: number;
  /** False where it comes on an error only, so that silence is no loss. */
  isSure: boolean;
}

/** The first bytes of what a peer sent in place of an answer, printable. */
function preview(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, 40).replaceAll(/[^ -~]/g, '.');
  return `"${text}${bytes.length > 40 ? '...' : ''}"`;
}

/**
 * One persistent connection, stop-and-wait: the next message is written when the one before has its answer. Any
 * doubt about whose answer a reply is ends the connection, so that no later message can take a stale ACK.
 */
export function createMllpConnection<R extends MllpRequest>(
  options: MllpConnectionOptions,
  events: MllpConnectionEvents<R>,
): MllpConnection<R> {
  const { host, port, clock, counters } = options;
  const where = `MLLP endpoint ${host}:${port}`;
  const awaited = new Map<string, AwaitedAck>();
  let socket: Socket | null = null;
  let connected = false;
  let request: R | null = null;
  let deadlineUs = Number.POSITIVE_INFINITY;
  /** Whether the owner has given it a request and has not yet been told that it is free again. */
  let lent = false;

  function failed(code: ErrorCode, reason: string, ack: Buffer | null, ackCode: AckCode | null): MllpResult {
    const sentUs = request === null ? -1 : request.sentUs;
    const serviceUs = sentUs < 0 ? null : clock.monotonicUs() - sentUs;
    // A copy: the bytes lie in the buffer of the connection's next read.
    const kept = ack === null ? null : Buffer.from(ack);
    return { ...failure(code, `${where}: ${reason}`), ackCode, ack: kept, serviceUs };
  }

  function settle(result: MllpResult): void {
    const settled = request!;
    request = null;
    deadlineUs = Number.POSITIVE_INFINITY;
    events.onResult(settled, result);
  }

  function release(): void {
    if (!lent || request !== null) return;
    lent = false;
    events.onFree(connection);
  }

  function miss(ack: AwaitedAck): void {
    if (ack.isSure) counters.applicationAcksMissed++;
  }

  /** Ends the connection; its socket's later events find that it is no longer ours. */
  function drop(result: MllpResult | null): void {
    const dropped = socket;
    socket = null;
    connected = false;
    for (const ack of awaited.values()) miss(ack);
    awaited.clear();
    dropped?.destroy();
    if (request !== null) settle(result ?? failed('MLLP_CLOSED', 'the connection was closed', null, null));
    release();
  }

  function dropConnecting(code: ErrorCode, message: string, retryable: boolean): void {
    const result: MllpResult = {
      ok: false,
      code,
      message,
      retryable,
      ackCode: null,
      ack: null,
      serviceUs: null,
    };
    counters.connectionsFailed++;
    drop(result);
    events.onConnectFailed(result);
  }

  function write(): void {
    const now = clock.monotonicUs();
    request!.sentUs = now;
    deadlineUs = now + options.responseTimeoutMs * 1000;
    socket!.write(frame(request!.message));
  }

  function deliverApplicationAck(ack: Ack, reply: Buffer, sentUs: number): void {
    awaited.delete(ack.controlId);
    counters.applicationAcks++;
    const header = readHeader(reply);
    if (header !== null && isAckAsked(header.accept, true)) socket!.write(frame(buildAck(reply, 'CA')));
    options.onApplicationAck?.({
      controlId: ack.controlId,
      code: ack.code as ApplicationAck['code'],
      latencyUs: clock.monotonicUs() - sentUs,
    });
  }

  function refused(ack: Ack, reply: Buffer): MllpResult {
    const isReject = ack.code === 'AR' || ack.code === 'CR';
    const reason = `${ack.code} for message ${ack.controlId}${ack.text === '' ? ', without a reason' : `: ${ack.text}`}`;
    return failed(isReject ? 'MLLP_NAK_REJECT' : 'MLLP_NAK_ERROR', reason, reply, ack.code);
  }

  function accepted(code: 'AA' | 'CA', reply: Buffer): void {
    const { controlId, sentUs, application } = request!;
    if (code === 'CA' && application !== 'NE') {
      const due = sentUs + options.applicationAckTimeoutMs * 1000;
      awaited.delete(controlId);
      awaited.set(controlId, { sentUs, deadlineUs: due, isSure: application !== 'ER' });
    }
    settle({ ok: true, code, ack: Buffer.from(reply), serviceUs: clock.monotonicUs() - sentUs });
  }

  function onReply(reply: Buffer): void {
    const acceptance = request === null || awaited.size > 0 ? null : acceptanceOf(reply, request.controlId);
    if (acceptance === null) judge(reply);
    else accepted(acceptance, reply);
  }

  /** Any reply but the plain acceptance of the message in flight. */
  function judge(reply: Buffer): void {
    const ack = parseAck(reply);
    if (ack !== null && awaited.size > 0 && ack.code.startsWith('A')) {
      const sent = awaited.get(ack.controlId);
      if (sent !== undefined) {
        deliverApplicationAck(ack, reply, sent.sentUs);
        return;
      }
    }
    if (request === null) {
      counters.strayReplies++;
      drop(null);
    } else if (ack === null) {
      drop(failed('MLLP_GARBAGE', `the reply is no acknowledgement: ${preview(reply)}`, reply, null));
    } else if (ack.controlId !== request.controlId) {
      const other = `${ack.code} for message "${ack.controlId}"${ack.text === '' ? '' : ` (${ack.text})`}`;
      drop(
        failed('MLLP_WRONG_ACK', `waited for the ACK of "${request.controlId}", got ${other}`, reply, null),
      );
    } else if (ack.code === 'AA' || ack.code === 'CA') {
      accepted(ack.code, reply);
    } else {
      settle(refused(ack, reply));
    }
  }

  /** Why a connection that ended had not answered. */
  function closedReason(inFrame: boolean, error: Error | null): string {
    const how = error === null ? 'the peer closed the connection' : `the connection broke (${error.message})`;
    return `${how} ${inFrame ? 'in the middle of the ACK' : 'before the ACK'}`;
  }

  function open(): void {
    const readInto = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    // One buffer for all reads: allocating one for each costs more than the copy of a short ACK.
    const onread = {
      buffer: readInto,
      callback(length: number): boolean {
        if (socket === opening) onBytes(readInto.subarray(0, length));
        return true;
      },
    };
    const target = { host, port, noDelay: true, onread };
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const opening =
      options.tls === null ? tcpConnect(target) : tlsConnect({ ...servername, ...options.tls, ...target });
    let tcpDone = false;
    const decoder = createFrameDecoder(
      {
        maxFrameBytes: options.maxFrameBytes,
        onGarbage: (bytes) => {
          if (socket !== opening) return;
          if (request === null) counters.strayReplies++;
          drop(failed('MLLP_GARBAGE', `bytes outside of an MLLP frame: ${preview(bytes)}`, bytes, null));
        },
        onTooLarge: (max) => {
          if (socket !== opening) return;
          drop(failed('MLLP_FRAME_TOO_LARGE', `the reply is longer than ${max} bytes`, null, null));
        },
      },
      (reply) => {
        // Not the frames of a chunk whose connection ended with an earlier frame.
        if (socket === opening) onReply(reply);
      },
    );
    const onBytes = (bytes: Buffer): void => {
      decoder.push(bytes);
      // Only when all that came is read: what else it holds must not be taken for the next message's ACK.
      release();
    };
    const ended = (error: Error | null): void => {
      if (socket !== opening) return;
      if (connected) {
        drop(failed('MLLP_CLOSED', closedReason(decoder.inFrame, error), null, null));
      } else if (tcpDone && options.tls !== null) {
        const reason = error?.message ?? 'the peer closed the connection';
        dropConnecting('TLS_FAILED', `${where}: no secure connection: ${reason}`, false);
      } else {
        const cause = networkError(error ?? new Error('closed while connecting'), where);
        dropConnecting(cause.code, cause.message, cause.retryable);
      }
    };
    opening.setNoDelay(true);
    opening.once('connect', () => {
      tcpDone = true;
    });
    opening.once(options.tls === null ? 'connect' : 'secureConnect', () => {
      if (socket !== opening) return;
      connected = true;
      counters.connectionsOpened++;
      write();
    });
    opening.on('end', () => ended(null));
    opening.on('error', ended);
    opening.on('close', () => ended(null));
    socket = opening;
    deadlineUs = clock.monotonicUs() + options.connectTimeoutMs * 1000;
  }

  function expireApplicationAcks(nowUs: number): void {
    for (const [controlId, ack] of awaited) {
      if (ack.deadlineUs > nowUs) return;
      awaited.delete(controlId);
      miss(ack);
    }
  }

  const connection: MllpConnection<R> = {
    get isOpen() {
      return connected;
    },
    get request() {
      return request;
    },
    get awaited() {
      return awaited.size;
    },
    start(next) {
      request = next;
      lent = true;
      if (socket === null) open();
      else write();
    },
    fail(code, reason) {
      drop(failed(code, reason, null, null));
    },
    checkDeadlines(nowUs) {
      if (deadlineUs <= nowUs && connected) {
        drop(failed('MLLP_TIMEOUT', `no ACK within ${options.responseTimeoutMs} ms`, null, null));
      } else if (deadlineUs <= nowUs) {
        const reason = `${where}: not connected within ${options.connectTimeoutMs} ms: check host, port and firewall`;
        dropConnecting('CONNECT_TIMEOUT', reason, true);
      }
      expireApplicationAcks(nowUs);
    },
    async close() {
      const closing = socket;
      if (closing === null) return;
      const closed = new Promise<void>((resolve) => closing.once('close', () => resolve()));
      drop(failed('CANCELLED', 'the connection pool was closed', null, null));
      await closed;
    },
  };
  return connection;
}
