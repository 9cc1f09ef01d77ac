import type { Channel, Connection, ReturnedMessage } from 'rabbitmq-client';
import { type Closeable, delay } from '../../lib/lifecycle.ts';
import { inOneWrite } from './broker-connection.ts';
import { envelopeOf, type Outgoing } from './message.ts';

/** What became of a message. Only `confirmed` is on a queue for certain; `unreachable` may be. */
export type PublishOutcome = 'confirmed' | 'full' | 'no_queue' | 'unreachable' | 'closed';

export interface PublisherOptions {
  connection: Connection;
  /** A message waits so long for its confirm, over as many connections as that takes, milliseconds. */
  patienceMs: number;
  /** Messages published and not yet confirmed; more wait here. @default 256 */
  maxInFlight?: number;
}

export interface Publisher extends Closeable {
  send(message: Outgoing): Promise<PublishOutcome>;
  /** Messages without an outcome. */
  readonly outstanding: number;
  /** Waits for the outcomes of what was sent, within the patience; later sends are `closed`. */
  close(): Promise<void>;
}

interface Entry {
  message: Outgoing;
  /** On `performance.now()`. */
  deadline: number;
  repeated: boolean;
  resolve: ((outcome: PublishOutcome) => void) | null;
}

const DEFAULT_MAX_IN_FLIGHT = 256;
/**
 * What is sent within one turn of the event loop goes out together, as soon as it is so much, in bytes: a broker that
 * gets messages one by one spends more than twice as long on each. So much fits into a socket's buffer.
 */
const BURST_BYTES = 48 * 1024;
/** Of a message beside its body: what it travels in. */
const ENVELOPE_BYTES = 250;
const CHECK_INTERVAL_MS = 500;
const REOPEN_DELAY_MS = 200;

const sizeOf = ({ body }: Outgoing): number => ENVELOPE_BYTES + body.length;

/**
 * Publishes confirmed, mandatory and pipelined. What was unconfirmed when its connection was lost is published again
 * on the next one, marked as repeated: the broker may have kept the first.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { connection, patienceMs, maxInFlight = DEFAULT_MAX_IN_FLIGHT } = options;
  /** Read from `head` on. */
  let waiting: Entry[] = [];
  let head = 0;
  /** Sent since the last look, bytes. */
  let fresh = 0;
  /** By sequence number, which is the correlation id, ascending. */
  const inFlight = new Map<number, Entry>();
  let sequence = 0;
  let confirmed: number[] = [];
  const returned = new Set<string>();
  let channel: Channel | null = null;
  let opening = false;
  let burst: NodeJS.Immediate | null = null;
  let closing: Promise<void> | null = null;
  let closed = false;
  const idle: (() => void)[] = [];

  const outstanding = (): number => waiting.length - head + inFlight.size;

  const settle = (entry: Entry, outcome: PublishOutcome): void => {
    entry.resolve?.(outcome);
    entry.resolve = null;
  };

  const pump = (): void => {
    if (burst) clearImmediate(burst);
    burst = null;
    fresh = 0;
    if (!channel?.active) {
      if (outstanding() > 0) void open();
      else for (const resolve of idle.splice(0)) resolve();
      return;
    }
    const on = channel;
    while (head < waiting.length && inFlight.size < maxInFlight)
      inOneWrite(connection, () => transmitBurst(on));
    if (head === waiting.length || head > 1024) {
      waiting = waiting.slice(head);
      head = 0;
    }
    if (outstanding() === 0) for (const resolve of idle.splice(0)) resolve();
  };

  const transmitBurst = (on: Channel): void => {
    for (let room = BURST_BYTES; room > 0 && head < waiting.length && inFlight.size < maxInFlight; ) {
      const entry = waiting[head++]!;
      room -= sizeOf(entry.message);
      if (entry.resolve) transmit(on, entry);
    }
  };

  const transmit = (on: Channel, entry: Entry): void => {
    const id = ++sequence;
    inFlight.set(id, entry);
    on.basicPublish(envelopeOf(entry.message, String(id), entry.repeated), entry.message.body).then(
      () => onConfirm(id),
      (error: { code?: string }) => onRefusal(id, error.code === 'NACK'),
    );
  };

  /** A message that was returned is confirmed all the same, and its return is seen one turn later. */
  const onConfirm = (id: number): void => {
    confirmed.push(id);
    if (confirmed.length === 1) setImmediate(settleConfirmed);
  };

  const settleConfirmed = (): void => {
    const ids = confirmed;
    confirmed = [];
    for (const id of ids) {
      const entry = inFlight.get(id);
      if (!entry) continue;
      inFlight.delete(id);
      settle(entry, returned.size > 0 && returned.delete(String(id)) ? 'no_queue' : 'confirmed');
    }
    pump();
  };

  /** Whatever else ends a publish ends its channel too: it is taken back from there. */
  const onRefusal = (id: number, isNack: boolean): void => {
    const entry = inFlight.get(id);
    if (!isNack || !entry) return;
    inFlight.delete(id);
    settle(entry, 'full');
    pump();
  };

  const open = async (): Promise<void> => {
    if (opening || closed) return;
    opening = true;
    try {
      const next = await connection.acquire({ emitErrorsFromChannel: true });
      next.on('error', () => {});
      next.on('basic.return', (message: ReturnedMessage) => returned.add(message.correlationId ?? ''));
      next.once('close', () => setImmediate(takeBack, next));
      await next.confirmSelect();
      channel = next;
    } catch {
      await delay(REOPEN_DELAY_MS);
    }
    opening = false;
    pump();
  };

  /** One turn after the close, so that the confirms which came before it are settled. */
  const takeBack = (lost: Channel): void => {
    if (channel !== lost) return;
    channel = null;
    const unconfirmed = [...inFlight.values()].filter((entry) => entry.resolve);
    for (const entry of unconfirmed) entry.repeated = true;
    inFlight.clear();
    returned.clear();
    waiting = [...unconfirmed, ...waiting.slice(head)];
    head = 0;
    pump();
  };

  /** An overdue message keeps its place in flight: its confirm may still come. */
  const expire = (): void => {
    const now = performance.now();
    for (const entry of inFlight.values()) if (entry.deadline <= now) settle(entry, 'unreachable');
    for (let at = head; at < waiting.length; at++) {
      const entry = waiting[at]!;
      if (entry.deadline <= now) settle(entry, 'unreachable');
    }
    if (!channel?.active) {
      waiting = waiting.slice(head).filter((entry) => entry.resolve);
      head = 0;
      pump();
    }
  };
  const timer = setInterval(expire, CHECK_INTERVAL_MS).unref();

  const close = async (): Promise<void> => {
    if (outstanding() > 0) {
      const timeUp = new AbortController();
      const drained = new Promise<void>((resolve) => idle.push(resolve));
      await Promise.race([drained, delay(patienceMs, timeUp.signal)]);
      timeUp.abort();
    }
    closed = true;
    clearInterval(timer);
    for (const entry of [...inFlight.values(), ...waiting.slice(head)]) settle(entry, 'closed');
    inFlight.clear();
    waiting = [];
    head = 0;
    // Not awaited: a broker that takes nothing more would keep it. Whoever closes the connection waits within reason.
    void channel?.close();
  };

  const send = (message: Outgoing): Promise<PublishOutcome> => {
    if (closing) return Promise.resolve('closed');
    return new Promise((resolve) => {
      const deadline = performance.now() + patienceMs;
      waiting.push({ message, deadline, repeated: false, resolve });
      fresh += sizeOf(message);
      if (fresh >= BURST_BYTES) pump();
      else burst ??= setImmediate(pump);
    });
  };

  const closeOnce = (): Promise<void> => {
    closing ??= close();
    return closing;
  };
  return {
    send,
    get outstanding() {
      return outstanding();
    },
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}
