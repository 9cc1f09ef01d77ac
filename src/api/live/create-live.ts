import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { type DefaultEventsMap, Server } from 'socket.io';
import type { Clock } from '../../lib/clock.ts';
import { toYeeterError } from '../../lib/errors.ts';
import type { Closeable } from '../../lib/lifecycle.ts';
import type { LivePort } from '../../live/port.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import { createListenerNews } from './listener-news.ts';
import { type LiveUser, refusal, type SocketData, signOut, tokenOf } from './live-socket.ts';
import { createOverview } from './overview.ts';
import type { ClientEvents, Refusal, ServerEvents } from './protocol.ts';
import type { RoomStore } from './room-reader.ts';
import { createRoomRequests, roomOf } from './room-requests.ts';
import { createRooms } from './rooms.ts';
import { createRunRoom } from './run-room.ts';
import { guardSocket } from './socket-guards.ts';
import { LIMITS } from './socket-limits.ts';
import type { SystemState } from './system-state.ts';

export type { LiveUser } from './live-socket.ts';

export interface LiveOptions {
  server: HttpServer;
  store: RoomStore & Pick<ServerStore, 'listListenerMessages'>;
  live: LivePort;
  /**
   * Who the token (JWT or API key) of a new connection belongs to; null when it is worth nothing.
   * @throws {YeeterError} TOO_MANY_REQUESTS
   */
  signIn: (token: string, connection: IncomingMessage) => Promise<LiveUser | null>;
  /** The same for a token that was good when its connection began. */
  authenticate: (token: string) => Promise<LiveUser | null>;
  mayWatch: (user: LiveUser, runId: number) => Promise<boolean>;
  systemState: () => Promise<SystemState>;
  /** Allowed origins of browsers. @default any */
  origins?: readonly string[] | '*';
  /**
   * Rights may end without the token ending: a key is deleted, an administrator is one no more. They are looked at
   * again so often, milliseconds. @default 60000
   */
  recheckIntervalMs?: number;
  clock: Clock;
  log: (line: string) => void;
}

export interface Live extends Closeable {
  /** Sockets of this process. */
  readonly sockets: number;
  /** Ends all sockets; the server is its owner's. */
  close(): Promise<void>;
}

/**
 * Socket.IO 4 on the default path and namespace: what happens to runs, workers and the listener, as it happens. Each
 * process serves its own sockets; what happens in others is heard as facts and read from the ledger.
 */
export function createLive(options: LiveOptions): Live {
  const { server, store, live, clock, log } = options;
  const io = new Server<ClientEvents, ServerEvents, DefaultEventsMap, SocketData>(server, {
    cors: { origin: options.origins === undefined || options.origins === '*' ? '*' : [...options.origins] },
    maxHttpBufferSize: LIMITS.messageBytes,
    connectTimeout: LIMITS.connectTimeoutMs,
    allowRequest: (_, decide) => decide(null, io.engine.clientsCount < LIMITS.sockets),
  });
  const { sockets } = io.sockets;
  const isWatched = (): boolean => sockets.size > 0;
  const overview = createOverview({
    systemState: options.systemState,
    isWatched,
    emit: (payload) => io.volatile.emit('worker_metrics_update', payload),
    log,
  });
  const rooms = createRooms(live, (runId) =>
    createRunRoom({
      runId,
      store,
      now: () => clock.monotonicUs() / 1000,
      workersOn: overview.workersOn,
      emit: (event, payload) => void io.to(roomOf(runId)).emit(event, payload),
      log,
    }),
  );
  const news = createListenerNews({
    live,
    store,
    emit: (event, payload) => io.emit(event, payload),
    isWatched,
    log,
  });
  const requests = createRoomRequests({ rooms, mayWatch: options.mayWatch, log });

  /** Whose the credentials are, or why they do not do. */
  const signIn = async (token: string, connection: IncomingMessage): Promise<LiveUser | Refusal> => {
    const user = token === '' ? null : await options.signIn(token, connection);
    if (!user) return refusal('UNAUTHENTICATED', 'sign in: auth.token is no valid token or API key');
    const own = [...sockets.values()].filter(({ data }) => data.user.id === user.id).length;
    if (own < LIMITS.socketsPerUser) return user;
    return refusal('TOO_MANY_REQUESTS', `you have ${own} connections open: close some`);
  };

  io.use(async (socket, next) => {
    const refuse = (why: Refusal): void => next(Object.assign(new Error(why.error), { data: why }));
    const token = tokenOf(socket);
    try {
      const user = await signIn(token, socket.request);
      if ('error' in user) return refuse(user);
      socket.data = { user, token, runIds: new Set() };
      next();
    } catch (thrown) {
      const { code, message } = toYeeterError(thrown);
      if (code === 'TOO_MANY_REQUESTS') return refuse(refusal(code, message));
      log(`live: ${message}`);
      refuse(refusal('INTERNAL', 'the credentials could not be checked: try again'));
    }
  });

  io.on('connection', (socket) => {
    guardSocket(socket, clock);
    requests.serve(socket);
    overview.greet((payload) => socket.emit('worker_metrics_update', payload));
  });

  const recheck = async (): Promise<void> => {
    for (const socket of [...sockets.values()]) {
      const { data } = socket;
      const wasAdmin = data.user.isAdmin;
      const user = await options.authenticate(data.token);
      if (!user) {
        signOut(socket);
        continue;
      }
      data.user = user;
      if (wasAdmin && !user.isAdmin) await requests.recheck(socket);
    }
  };
  const recheckTimer = setInterval(() => {
    // What cannot be checked now is checked the next time.
    recheck().catch((error: unknown) => log(`live: ${toYeeterError(error).message}`));
  }, options.recheckIntervalMs ?? 60_000);
  recheckTimer.unref();

  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      clearInterval(recheckTimer);
      news.close();
      await overview.close();
      io.disconnectSockets(true);
      await rooms.close();
      io.engine.close();
    })();
    return closed;
  };
  return {
    get sockets() {
      return sockets.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
