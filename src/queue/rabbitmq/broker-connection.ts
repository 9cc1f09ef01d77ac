import type { Socket } from 'node:net';
import { type Channel, Connection } from 'rabbitmq-client';
import { networkError, YeeterError } from '../../lib/errors.ts';
import { delay } from '../../lib/lifecycle.ts';

/** What somebody who operates the system wants to know, and nobody has to act upon at once. */
export interface QueueNotice {
  kind:
    | 'connected'
    | 'connection_lost'
    | 'blocked'
    | 'unblocked'
    | 'consumer_lost'
    | 'handler_failed'
    | 'set_aside'
    | 'newer_version'
    | 'handed_back';
  queue: string | null;
  message: string;
}

export type OnNotice = (notice: QueueNotice) => void;

/** Reconnecting begins after this, and its pauses double up to the second, milliseconds. */
const RETRY_LOW_MS = 100;
const RETRY_HIGH_MS = 2000;
/** A peer that is silent for twice as long is taken for dead. */
const HEARTBEAT_S = 15;
const CLOSE_TIMEOUT_MS = 3000;

/** Answers of a broker that is there and does not want us: waiting does not help. */
const REFUSALS = ['ACCESS_REFUSED', 'NOT_ALLOWED'];

/** `amqp://HOST:PORT/VHOST`, without user and password. */
export function brokerName(url: string): string {
  const { hostname, port, pathname, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'amqps:' ? 5671 : 5672)}${pathname === '' ? '/' : pathname}`;
}

export interface ConnectOptions {
  url: string;
  /** Shown by the broker beside the connection. */
  name: string;
  timeoutMs: number;
  onNotice: OnNotice;
}

/**
 * A connection that is there, and comes back by itself when it is lost.
 *
 * @throws {YeeterError} QUEUE_UNREACHABLE when it is refused, or not there in time
 */
export async function connectBroker({ url, name, timeoutMs, onNotice }: ConnectOptions): Promise<Connection> {
  const where = `RabbitMQ ${brokerName(url)}`;
  const connection = new Connection({
    url: withDefaultUser(url),
    connectionName: name,
    heartbeat: HEARTBEAT_S,
    retryLow: RETRY_LOW_MS,
    retryHigh: RETRY_HIGH_MS,
    noDelay: true,
  });
  let isOpen = false;
  connection.on('error', (error) => {
    if (isOpen) onNotice({ kind: 'connection_lost', queue: null, message: `${where}: ${error.message}` });
  });
  connection.on('connection', () => {
    if (isOpen) onNotice({ kind: 'connected', queue: null, message: `${where}: connected again` });
  });
  connection.on('connection.blocked', (reason) =>
    onNotice({
      kind: 'blocked',
      queue: null,
      message: `${where} accepts no messages (${reason}): see to its memory and disk`,
    }),
  );
  connection.on('connection.unblocked', () =>
    onNotice({ kind: 'unblocked', queue: null, message: `${where} accepts messages again` }),
  );
  await new Promise<void>((resolve, reject) => {
    let last: unknown = new Error('no answer');
    const giveUp = (): void => {
      connection.unsafeDestroy();
      const { message } = networkError(last, where);
      reject(new YeeterError('QUEUE_UNREACHABLE', message, { cause: last }));
    };
    const timer = setTimeout(giveUp, timeoutMs);
    connection.once('connection', () => {
      clearTimeout(timer);
      isOpen = true;
      resolve();
    });
    connection.on('error', (error: Error & { code?: string }) => {
      if (isOpen) return;
      last = error;
      if (!REFUSALS.includes(error.code ?? '')) return;
      clearTimeout(timer);
      giveUp();
    });
  });
  return connection;
}

/**
 * Hands the system in one call what `work` writes. The client makes a call of each message, which costs as much as
 * making the message, and lends nobody its socket: where it is not found, `work` is done all the same.
 */
export function inOneWrite(connection: Connection, work: () => void): void {
  const { _socket: socket } = connection as unknown as { _socket?: Socket };
  socket?.cork();
  try {
    work();
  } finally {
    socket?.uncork();
  }
}

function withDefaultUser(url: string): string {
  const parsed = new URL(url);
  if (parsed.username === '') Object.assign(parsed, { username: 'guest', password: 'guest' });
  return parsed.href;
}

/** Waits for the answer to a farewell, but not for long; false when a broker that hangs is left without it. */
export async function inReasonableTime(farewell: Promise<unknown>): Promise<boolean> {
  const timeUp = new AbortController();
  const answered = farewell.then(
    () => true,
    () => true,
  );
  const isAnswered = await Promise.race([answered, delay(CLOSE_TIMEOUT_MS, timeUp.signal).then(() => false)]);
  timeUp.abort();
  return isAnswered;
}

/** An orderly close, or, from a broker that does not answer, a hard one. */
export async function closeConnection(connection: Connection): Promise<void> {
  await inReasonableTime(connection.close());
  connection.unsafeDestroy();
}

/** Lends a channel of its own: a refused request closes the channel it was made on. */
export async function withChannel<T>(
  connection: Connection,
  work: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await connection.acquire({ emitErrorsFromChannel: true });
  channel.on('error', () => {});
  try {
    return await work(channel);
  } finally {
    await channel.close();
  }
}
