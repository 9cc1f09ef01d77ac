import type { Socket } from 'node:net';
import { type Channel, Connection } from 'rabbitmq-client';
import { backoffMs } from '../../lib/backoff.ts';
import { YeeterError } from '../../lib/errors.ts';
import { delay } from '../../lib/lifecycle.ts';
import { brokerFault, greetingFault } from './broker-fault.ts';
import { brokerName, withDefaultUser } from './broker-url.ts';

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
const FIRST_CONNECTION = { delayMs: 100, backoff: 'exponential', maxDelayMs: 500 } as const;
/** A peer that is silent for twice as long is taken for dead. */
const HEARTBEAT_S = 15;
const CLOSE_TIMEOUT_MS = 3000;
/** A channel is waited for so long while its connection is made again. */
const CHANNEL_TIMEOUT_MS = 20_000;

export interface ConnectOptions {
  url: string;
  /** Shown by the broker beside the connection. */
  name: string;
  /** For the first connection. */
  timeoutMs: number;
  onNotice: OnNotice;
}

/**
 * A connection that is there, and comes back by itself when it is lost.
 *
 * @throws {YeeterError} LOGIN_REFUSED, TLS_FAILED; QUEUE_UNREACHABLE when it is not there in time, or no RabbitMQ
 */
export async function connectBroker(options: ConnectOptions): Promise<Connection> {
  const { onNotice } = options;
  const where = `RabbitMQ ${brokerName(options.url)}`;
  const connection = await firstConnection({ ...options, url: withDefaultUser(options.url) });
  connection.on('error', (error) =>
    onNotice({ kind: 'connection_lost', queue: null, message: `${where}: ${error.message}` }),
  );
  connection.on('connection', () =>
    onNotice({ kind: 'connected', queue: null, message: `${where}: connected again` }),
  );
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
  return connection;
}

/** A broker may be starting: it is tried until the time is up, or waiting does not help. */
async function firstConnection({ url, name, timeoutMs }: ConnectOptions): Promise<Connection> {
  const untilMs = performance.now() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectOnce(url, name, untilMs - performance.now());
    } catch (error) {
      const fault = brokerFault(error as Error, url);
      const pauseMs = backoffMs(FIRST_CONNECTION, attempt);
      if (!fault.retryable || performance.now() + pauseMs > untilMs) throw fault;
      await delay(pauseMs);
    }
  }
}

/** The client would try again by itself, and tell of the first fault alone. */
function connectOnce(url: string, connectionName: string, timeoutMs: number): Promise<Connection> {
  const connection = new Connection({
    ...{ url, connectionName, noDelay: true },
    heartbeat: HEARTBEAT_S,
    acquireTimeout: CHANNEL_TIMEOUT_MS,
    retryLow: RETRY_LOW_MS,
    retryHigh: RETRY_HIGH_MS,
  });
  refuseOtherProtocols(connection);
  return new Promise((resolve, reject) => {
    const giveUp = (error: Error): void => {
      clearTimeout(timer);
      connection.unsafeDestroy();
      reject(error);
    };
    const timer = setTimeout(() => giveUp(new Error('no answer in time: check host and port')), timeoutMs);
    connection.once('error', giveUp);
    connection.once('connection', () => {
      clearTimeout(timer);
      connection.off('error', giveUp);
      resolve(connection);
    });
  });
}

/** The client lends nobody its socket: where it is not found, we do without. */
function socketOf(connection: Connection): Socket | null {
  return (connection as unknown as { _socket?: Socket })._socket ?? null;
}

/** The client takes a length from whatever answers, and one that is too large ends the process. */
function refuseOtherProtocols(connection: Connection): void {
  const socket = socketOf(connection);
  const look = (): void => {
    const head = socket?.read();
    if (!socket || !head) return;
    socket.off('readable', look);
    const fault = greetingFault(head);
    if (fault) socket.destroy(fault);
    else socket.unshift(head);
  };
  socket?.prependListener('readable', look);
}

/**
 * Hands the system in one call what `work` writes. The client makes a call of each message, which costs as much as
 * making the message.
 */
export function inOneWrite(connection: Connection, work: () => void): void {
  const socket = socketOf(connection);
  socket?.cork();
  try {
    work();
  } finally {
    socket?.uncork();
  }
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

/** @throws {YeeterError} QUEUE_UNREACHABLE */
export async function acquireChannel(connection: Connection): Promise<Channel> {
  return connection.acquire({ emitErrorsFromChannel: true }).catch((cause: Error & { code?: string }) => {
    const what =
      cause.code === 'TIMEOUT'
        ? `there has been no connection to the broker for ${CHANNEL_TIMEOUT_MS / 1000} s: see whether it is up`
        : `the broker gives no channel: see whether it is up (${cause.message})`;
    throw new YeeterError('QUEUE_UNREACHABLE', what, { cause });
  });
}

/** Lends a channel of its own: a refused request closes the channel it was made on. */
export async function withChannel<T>(
  connection: Connection,
  work: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await acquireChannel(connection);
  channel.on('error', () => {});
  try {
    return await work(channel);
  } finally {
    await channel.close();
  }
}
