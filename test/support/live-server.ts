import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { createLive, type LiveOptions, type LiveUser } from '../../src/api/live/create-live.ts';
import { createSystemState } from '../../src/api/live/system-state.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Closeable } from '../../src/lib/lifecycle.ts';
import type { LivePort } from '../../src/live/port.ts';
import type { QueueStatus } from '../../src/queue/admin-port.ts';
import type { ServerStore } from '../../src/storage/server-port.ts';

/** Tokens of tests are `user:ID` and `admin:ID`. */
async function byToken(token: string): Promise<LiveUser | null> {
  const [kind, id] = token.split(':');
  if ((kind !== 'user' && kind !== 'admin') || id === undefined) return null;
  return { id: Number(id), isAdmin: kind === 'admin', expiresAtMs: null };
}

export interface LiveServer extends Closeable {
  readonly url: string;
  readonly lines: string[];
  /** Connections of the server. */
  sockets(): number;
  /** A client that is closed with the server. */
  connect(token: string, options?: { transports?: string[] }): Promise<Client>;
}

export interface Client {
  socket: Socket;
  /** Everything that came, in order. */
  heard: { event: string; payload: Record<string, unknown> }[];
  of<Payload = Record<string, unknown>>(event: string): Payload[];
  join(runId: number): Promise<Record<string, unknown>>;
}

export interface LiveServerOptions {
  store: ServerStore;
  live: LivePort;
  queues?: () => Promise<QueueStatus[]>;
  change?: Partial<LiveOptions>;
}

export async function startLiveServer({
  store,
  live,
  queues,
  change,
}: LiveServerOptions): Promise<LiveServer> {
  const server = createServer((_, response) => response.writeHead(404).end());
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const authenticate = change?.authenticate ?? byToken;
  const served = createLive({
    server,
    store,
    live,
    signIn: authenticate,
    authenticate,
    mayWatch: async (user, runId) => user.isAdmin || (await store.runSummary(runId)).userId === user.id,
    systemState: createSystemState({
      store,
      queues: { list: queues ?? (async () => []) },
      clock: systemClock,
      log,
    }),
    clock: systemClock,
    log,
    ...change,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sockets: Socket[] = [];
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.disconnect();
    await served.close();
    server.closeAllConnections();
    server.close();
  };
  return {
    url,
    lines,
    sockets: () => served.sockets,
    connect: async (token, options = {}) => {
      const client = connectClient(url, token, options);
      sockets.push(client.socket);
      await connected(client.socket);
      return client;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function connectClient(url: string, token: string, options: { transports?: string[] }): Client {
  const socket = io(url, { auth: { token }, reconnection: false, forceNew: true, ...options });
  const heard: Client['heard'] = [];
  socket.onAny((event: string, payload: Record<string, unknown>) => heard.push({ event, payload }));
  return {
    socket,
    heard,
    of: <Payload>(event: string) =>
      heard.filter((one) => one.event === event).map(({ payload }) => payload as Payload),
    join: (runId) => socket.timeout(20_000).emitWithAck('join_run_room', { run_id: runId }),
  };
}

/** @throws the refusal, as the client is told it */
async function connected(socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
}
