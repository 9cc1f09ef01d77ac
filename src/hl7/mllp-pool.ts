import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type ErrorCode, failure } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { isAckAsked, type MessageHeader, readHeader } from './ack.ts';
import { DEFAULT_MAX_FRAME_BYTES, isFrameable } from './mllp-codec.ts';
import {
  type ApplicationAck,
  createMllpConnection,
  type MllpConnection,
  type MllpCounters,
  type MllpRequest,
  type MllpResult,
} from './mllp-connection.ts';

export type { ApplicationAck, MllpResult } from './mllp-connection.ts';

export interface MllpPoolOptions {
  host: string;
  port: number;
  /** Connections at most, each opened when it is first needed; 1 unless set. */
  connections?: number;
  /** 5,000 ms unless set; includes the TLS handshake. */
  connectTimeoutMs?: number;
  /** From the write to the ACK; 10,000 ms unless set. */
  responseTimeoutMs?: number;
  /** From the write to the application acknowledgement of enhanced mode; 60,000 ms unless set. */
  applicationAckTimeoutMs?: number;
  /** The longest reply accepted, in bytes; 16 MiB unless set. */
  maxFrameBytes?: number;
  /** Options of `tls.connect`; plain TCP unless set. */
  tls?: TlsOptions | null;
  clock?: Clock;
  /** Told of each AA, AE or AR that follows a CA. */
  onApplicationAck?: (ack: ApplicationAck) => void;
}

interface MllpSendOptions {
  /** What MSA-2 must say; MSH-10 of the message unless set. */
  controlId?: string;
  /** Messages with the same key (a patient) never overtake each other: each waits for the one before to end. */
  key?: string | number;
  /** Ends the send as `CANCELLED`; a message already written costs its connection. */
  signal?: AbortSignal;
}

interface MllpPoolStats extends Readonly<MllpCounters> {
  /** Connected now. */
  connectionsOpen: number;
  inFlight: number;
  /** Waiting for a connection, or for the message before with the same key. */
  waiting: number;
  /** Application acknowledgements still to come. */
  applicationAcksAwaited: number;
}

export interface MllpPool extends Closeable {
  /**
   * Sends one message and waits for its acknowledgement: AA in original mode; CA, or an application ACK where
   * no commit ACK was asked for, in enhanced mode. Never rejects: every failure is a result with a code.
   */
  send(message: Buffer, options?: MllpSendOptions): Promise<MllpResult>;
  stats(): MllpPoolStats;
  /** Connected, with nothing in flight. */
  idle(): number;
  /** Closes one of those, if there is one, rather one that awaits no application acknowledgement. */
  closeIdle(): Promise<void>;
}

interface Waiting extends MllpRequest {
  readonly key: string | number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: MllpResult) => void;
  next: Waiting | null;
}

/** A first-in-first-out list through the requests themselves: a push and a shift allocate nothing. */
class RequestQueue {
  length = 0;
  #first: Waiting | null = null;
  #last: Waiting | null = null;

  push(request: Waiting): void {
    if (this.#last === null) this.#first = request;
    else this.#last.next = request;
    this.#last = request;
    this.length++;
  }

  shift(): Waiting | null {
    const request = this.#first;
    if (request === null) return null;
    this.#first = request.next;
    if (this.#first === null) this.#last = null;
    request.next = null;
    this.length--;
    return request;
  }

  /** Takes out the requests that a predicate names, in order. */
  take(named: (request: Waiting) => boolean): Waiting[] {
    const taken: Waiting[] = [];
    for (let left = this.length; left > 0; left--) {
      const request = this.shift()!;
      if (named(request)) taken.push(request);
      else this.push(request);
    }
    return taken;
  }
}

function unsent(code: ErrorCode, reason: string): MllpResult {
  return { ...failure(code, reason), ackCode: null, ack: null, serviceUs: null };
}

/** Why a message cannot be sent and answered; null when it can. */
function faultOf(message: Buffer, header: MessageHeader | null): string | null {
  if (header === null) return 'it does not begin with an MSH segment';
  if (!isFrameable(message)) return 'it holds a VT (0x0B) or FS (0x1C) byte, which would cut its MLLP frame';
  if (header.enhanced && !isAckAsked(header.accept, true) && !isAckAsked(header.application, true)) {
    return `it asks for no answer when it is accepted (MSH-15 ${header.accept}, MSH-16 ${header.application}): value one with AL`;
  }
  return null;
}

/**
 * A pool of persistent MLLP connections to one endpoint, one message in flight on each. Messages beyond the
 * connections wait in order. Deadlines are looked at by one coarse timer (a twentieth of the shorter time-out,
 * 100 ms at most), which runs only while something is waited for.
 */
export function createMllpPool(options: MllpPoolOptions): MllpPool {
  const { host, port, connections: size = 1, clock = systemClock } = options;
  const connectTimeoutMs = options.connectTimeoutMs ?? 5_000;
  const responseTimeoutMs = options.responseTimeoutMs ?? 10_000;
  const tickMs = Math.max(1, Math.min(100, Math.floor(Math.min(connectTimeoutMs, responseTimeoutMs) / 20)));
  const counters: MllpCounters = {
    connectionsOpened: 0,
    connectionsFailed: 0,
    strayReplies: 0,
    applicationAcks: 0,
    applicationAcksMissed: 0,
  };
  const queue = new RequestQueue();
  /** A key is here while a message with it is queued or in flight; its value holds those that wait for it. */
  const lanes = new Map<string | number, RequestQueue | null>();
  /** Signals listened to, with the number of their unfinished requests. */
  const signals = new Map<AbortSignal, { requests: number; onAbort: () => void }>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const events = {
    onResult(request: Waiting, result: MllpResult): void {
      finish(request, result);
      releaseLane(request);
    },
    onFree(connection: MllpConnection<Waiting>): void {
      const next = closed ? null : queue.shift();
      if (next === null) free.push(connection);
      else connection.start(next);
    },
    /** With no connection left, those who wait for one fail at once instead of one connect time-out each. */
    onConnectFailed(result: MllpResult): void {
      if (connections.some((connection) => connection.isOpen)) return;
      for (const request of queue.take(() => true)) events.onResult(request, result);
    },
  };
  const connections = Array.from({ length: size }, () =>
    createMllpConnection<Waiting>(
      {
        host,
        port,
        connectTimeoutMs,
        responseTimeoutMs,
        applicationAckTimeoutMs: options.applicationAckTimeoutMs ?? 60_000,
        maxFrameBytes: options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES,
        tls: options.tls ?? null,
        clock,
        counters,
        onApplicationAck: options.onApplicationAck ?? null,
      },
      events,
    ),
  );
  const free = [...connections];

  function finish(request: Waiting, result: MllpResult): void {
    if (request.signal !== undefined) forget(request.signal);
    request.resolve(result);
  }

  function releaseLane(request: Waiting): void {
    if (request.key === undefined) return;
    const next = lanes.get(request.key)?.shift() ?? null;
    if (next === null) lanes.delete(request.key);
    else submit(next);
  }

  function submit(request: Waiting): void {
    const last = free.length - 1;
    if (last < 0) {
      queue.push(request);
      return;
    }
    // The one used last is open, as a rule; a closed one is opened only when no open one is free.
    const open = free[last]!.isOpen ? last : free.findLastIndex((connection) => connection.isOpen);
    const connection = open === last || open === -1 ? free.pop()! : free.splice(open, 1)[0]!;
    connection.start(request);
    timer ??= setInterval(tick, tickMs);
  }

  function tick(): void {
    const now = clock.monotonicUs();
    for (const connection of connections) connection.checkDeadlines(now);
    const isWaiting = connections.some(({ request, awaited }) => request !== null || awaited > 0);
    if (isWaiting || timer === null) return;
    clearInterval(timer);
    timer = null;
  }

  function listen(signal: AbortSignal): void {
    const known = signals.get(signal);
    if (known !== undefined) {
      known.requests++;
      return;
    }
    const onAbort = (): void => abort(signal);
    signals.set(signal, { requests: 1, onAbort });
    signal.addEventListener('abort', onAbort, { once: true });
  }

  /** One signal stays listened to between requests: a run passes the same one with every message. */
  function forget(signal: AbortSignal): void {
    const known = signals.get(signal)!;
    known.requests--;
    if (known.requests > 0 || signals.size === 1) return;
    signal.removeEventListener('abort', known.onAbort);
    signals.delete(signal);
  }

  function abort(signal: AbortSignal): void {
    const named = (request: Waiting): boolean => request.signal === signal;
    const cancelled = unsent('CANCELLED', 'the send was cancelled before the message was written');
    // Those behind others first, so that no lane hands one on that is to be cancelled too.
    for (const lane of lanes.values()) {
      for (const request of lane?.take(named) ?? []) finish(request, cancelled);
    }
    for (const request of queue.take(named)) events.onResult(request, cancelled);
    for (const connection of connections) {
      if (connection.request !== null && named(connection.request)) {
        connection.fail('CANCELLED', 'the send was cancelled before the ACK');
      }
    }
  }

  async function close(): Promise<void> {
    if (!closed) {
      closed = true;
      if (timer !== null) clearInterval(timer);
      timer = null;
      const cancelled = unsent('CANCELLED', 'the connection pool was closed');
      for (const lane of lanes.values()) {
        for (const request of lane?.take(() => true) ?? []) finish(request, cancelled);
      }
      for (const request of queue.take(() => true)) events.onResult(request, cancelled);
    }
    await Promise.all(connections.map((connection) => connection.close()));
    for (const [signal, { onAbort }] of signals) signal.removeEventListener('abort', onAbort);
    signals.clear();
  }

  function send(message: Buffer, { controlId, key, signal }: MllpSendOptions = {}): Promise<MllpResult> {
    if (closed) return Promise.resolve(unsent('CANCELLED', 'the connection pool was closed'));
    if (signal?.aborted)
      return Promise.resolve(unsent('CANCELLED', 'the send was cancelled before it began'));
    const header = readHeader(message);
    const fault = faultOf(message, header);
    if (fault !== null) {
      return Promise.resolve(unsent('MLLP_UNSENDABLE', `the message cannot be sent over MLLP: ${fault}`));
    }
    return new Promise((resolve) => {
      const request: Waiting = {
        message,
        controlId: controlId ?? header!.controlId,
        application: header!.application,
        sentUs: -1,
        key,
        signal,
        resolve,
        next: null,
      };
      if (signal !== undefined) listen(signal);
      if (key === undefined) {
        submit(request);
        return;
      }
      const lane = lanes.get(key);
      if (lane === undefined) {
        lanes.set(key, null);
        submit(request);
      } else if (lane === null) {
        const behind = new RequestQueue();
        behind.push(request);
        lanes.set(key, behind);
      } else {
        lane.push(request);
      }
    });
  }

  const idle = (): MllpConnection<Waiting>[] => free.filter((connection) => connection.isOpen);

  async function closeIdle(): Promise<void> {
    const open = idle();
    await (open.find(({ awaited }) => awaited === 0) ?? open[0])?.close();
  }

  return {
    send,
    idle: () => idle().length,
    closeIdle,
    stats() {
      let waiting = queue.length;
      for (const lane of lanes.values()) waiting += lane?.length ?? 0;
      return {
        ...counters,
        connectionsOpen: connections.filter((connection) => connection.isOpen).length,
        inFlight: connections.filter((connection) => connection.request !== null).length,
        waiting,
        applicationAcksAwaited: connections.reduce((sum, connection) => sum + connection.awaited, 0),
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
