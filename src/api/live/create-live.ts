import type { Server as HttpServer } from 'node:http';
import { type DefaultEventsMap, Server, type Socket } from 'socket.io';
import type { Clock } from '../../lib/clock.ts';
import { type ErrorCode, toYeeterError } from '../../lib/errors.ts';
import type { Closeable } from '../../lib/lifecycle.ts';
import type { LivePort } from '../../live/port.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import { createListenerNews } from './listener-news.ts';
import { createOverview } from './overview.ts';
import { type ClientEvents, type JoinAnswer, type Refusal, runIdOf, type ServerEvents } from './protocol.ts';
import type { RoomStore } from './room-reader.ts';
import { createRooms } from './rooms.ts';
import { createRunRoom } from './run-room.ts';
import { createAllowance, LIMITS } from './socket-limits.ts';
import type { SystemState } from './system-state.ts';

export interface LiveUser {
  id: number;
  isAdmin: boolean;
  /** When the credentials end, milliseconds since the epoch; null for those that do not. */
  expiresAtMs: number | null;
}

export interface LiveOptions {
  server: HttpServer;
  store: RoomStore & Pick<ServerStore, 'listListenerMessages'>;
  live: LivePort;
  /** Who a token (JWT or API key) belongs to; null when it is worth nothing. The address is the client's. */
  authenticate: (token: string, address: string) => Promise<LiveUser | null>;
  mayWatch: (user: LiveUser, runId: number) => Promise<boolean>;
  systemState: () => Promise<SystemState>;
  /** Allowed origins of browsers. @default any */
  origins?: readonly string[] | '*';
  clock: Clock;
  log: (line: string) => void;
}

export interface Live extends Closeable {
  /** Sockets of this process. */
  readonly sockets: number;
  /** Ends all sockets; the server is its owner's. */
  close(): Promise<void>;
}

interface SocketData {
  user: LiveUser;
  token: string;
  runIds: Set<number>;
}

type LiveSocket = Socket<ClientEvents, ServerEvents, DefaultEventsMap, SocketData>;

/** Rights may have ended without the token ending: a key deleted, an administrator made a user. */
const RECHECK_INTERVAL_MS = 60_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const roomOf = (runId: number): string => `run ${runId}`;

function refusal(code: ErrorCode, error: string, runId: number | null = null): Refusal {
  return { error, code, run_id: runId };
}

function tokenOf(socket: LiveSocket): string {
  const given: unknown = socket.handshake.auth.token;
  return typeof given === 'string' ? given.replace(/^(Bearer|ApiKey) /i, '').trim() : '';
}

/**
 * Socket.IO 4 on the default path and namespace: what happens to runs, workers and the listener, as it happens. Each
 * process serves its own sockets; what happens in others is heard as facts and read from the ledger.
 */
export function createLive(options: LiveOptions): Live {
  const { server, store, live, clock, log } = options;
  const now = (): number => clock.monotonicUs() / 1000;
  const io = new Server<ClientEvents, ServerEvents, DefaultEventsMap, SocketData>(server, {
    cors: { origin: options.origins === undefined || options.origins === '*' ? '*' : [...options.origins] },
    maxHttpBufferSize: LIMITS.messageBytes,
    connectTimeout: LIMITS.connectTimeoutMs,
    allowRequest: (_, decide) => decide(null, io.engine.clientsCount < LIMITS.sockets),
  });
  const overview = createOverview({
    systemState: options.systemState,
    isWatched: () => io.sockets.sockets.size > 0,
    emit: (payload) => io.volatile.emit('worker_metrics_update', payload),
    log,
  });
  const rooms = createRooms(live, (runId) =>
    createRunRoom({
      runId,
      store,
      now,
      workersOn: overview.workersOn,
      emit: (event, payload) => {
        const members = io.to(roomOf(runId));
        // The next figures follow soon; the rest is told once.
        if (event === 'simulation_async_progress') members.volatile.emit(event, payload);
        else members.emit(event, payload);
      },
      log,
    }),
  );
  const news = createListenerNews({
    live,
    store,
    emit: (event, payload) => io.emit(event, payload),
    isWatched: () => io.sockets.sockets.size > 0,
    log,
  });

  io.use(async (socket, next) => {
    const refuse = ({ error, ...data }: Refusal): void =>
      next(Object.assign(new Error(error), { data: { error, ...data } }));
    const token = tokenOf(socket);
    try {
      const user = token === '' ? null : await options.authenticate(token, socket.handshake.address);
      if (!user)
        return refuse(refusal('UNAUTHENTICATED', 'sign in: auth.token is no valid token or API key'));
      const own = [...io.sockets.sockets.values()].filter(({ data }) => data.user.id === user.id).length;
      if (own >= LIMITS.socketsPerUser)
        return refuse(refusal('TOO_MANY_REQUESTS', `you have ${own} connections open: close some`));
      socket.data = { user, token, runIds: new Set() };
      next();
    } catch (error) {
      log(`live: ${toYeeterError(error).message}`);
      refuse(refusal('INTERNAL', 'the credentials could not be checked: try again'));
    }
  });

  io.on('connection', (socket) => {
    overview.greet((payload) => socket.emit('worker_metrics_update', payload));
    letSlowGo(socket);
    endInTime(socket);
    limitEvents(socket);
    socket.on(
      'join_run_room',
      (payload, answer) => void join(socket, payload).then(answerWith(socket, answer)),
    );
    socket.on('leave_run_room', (payload, answer) => {
      const runId = runIdOf(payload);
      if (runId !== null) leave(socket, runId);
      if (typeof answer === 'function') answer({ ok: true, run_id: runId });
    });
    socket.on('disconnect', () => {
      for (const runId of [...socket.data.runIds]) leave(socket, runId);
    });
  });

  const answerWith =
    (socket: LiveSocket, answer: unknown) =>
    (joined: JoinAnswer): void => {
      if (!joined.ok) {
        const { ok: _, ...why } = joined;
        socket.emit('error', why);
      }
      if (typeof answer === 'function') answer(joined);
    };

  const join = async (socket: LiveSocket, payload: unknown): Promise<JoinAnswer> => {
    const runId = runIdOf(payload);
    const refuse = (code: ErrorCode, error: string): JoinAnswer => ({
      ok: false,
      ...refusal(code, error, runId),
    });
    if (runId === null) return refuse('VALIDATION', 'join_run_room takes {run_id}, the number of a run');
    const { user, runIds } = socket.data;
    if (!runIds.has(runId) && runIds.size >= LIMITS.rooms)
      return refuse('TOO_MANY_REQUESTS', `a connection watches at most ${LIMITS.rooms} runs: leave one`);
    runIds.add(runId);
    try {
      const room = (await options.mayWatch(user, runId)) ? rooms.enter(runId, socket.id) : null;
      if (!room) {
        runIds.delete(runId);
        return refuse('RUN_NOT_FOUND', `there is no run ${runId} of yours`);
      }
      const { status, lastEventId } = await room.ready;
      if (!socket.connected || !runIds.has(runId)) {
        leave(socket, runId);
        return refuse('CANCELLED', 'the room was left before it was joined');
      }
      await socket.join(roomOf(runId));
      for (const { event, payload: current } of room.current()) socket.emit(event, current);
      return { ok: true, run_id: runId, status, last_event_id: lastEventId };
    } catch (thrown) {
      leave(socket, runId);
      const { code, message } = toYeeterError(thrown);
      if (code === 'RUN_NOT_FOUND') return refuse(code, `there is no run ${runId} of yours`);
      log(`live room of run ${runId}: ${message}`);
      return refuse('INTERNAL', `run ${runId} cannot be read at the moment: try again`);
    }
  };

  const leave = (socket: LiveSocket, runId: number): void => {
    socket.data.runIds.delete(runId);
    void socket.leave(roomOf(runId));
    rooms.leave(runId, socket.id);
  };

  /** What a client does not take up is not kept for ever. */
  const letSlowGo = ({ conn }: LiveSocket): void => {
    let packets = 0;
    let characters = 0;
    conn.on('flush', () => {
      packets = 0;
      characters = 0;
    });
    conn.on('packetCreate', ({ data }: { data?: unknown }) => {
      packets++;
      if (typeof data === 'string') characters += data.length;
      if (packets > LIMITS.waitingPackets || characters > LIMITS.waitingCharacters) conn.close(true);
    });
  };

  const signOut = (socket: LiveSocket): void => {
    socket.emit(
      'error',
      refusal('UNAUTHENTICATED', 'the credentials of this connection have ended: sign in'),
    );
    socket.disconnect(true);
  };

  const endInTime = (socket: LiveSocket): void => {
    const { expiresAtMs } = socket.data.user;
    if (expiresAtMs === null) return;
    const inMs = Math.max(0, Math.min(expiresAtMs - clock.nowMs(), LONGEST_TIMER_MS));
    const timer = setTimeout(() => signOut(socket), inMs);
    timer.unref();
    socket.on('disconnect', () => clearTimeout(timer));
  };

  const limitEvents = (socket: LiveSocket): void => {
    const allowance = createAllowance(LIMITS.eventsPerSecond, LIMITS.burst, now);
    socket.use((_, next) => {
      if (allowance.take()) return next();
      socket.emit('error', refusal('TOO_MANY_REQUESTS', 'too many events: this connection is ended'));
      socket.disconnect(true);
    });
  };

  const recheck = async (): Promise<void> => {
    for (const socket of [...io.sockets.sockets.values()]) {
      const { data } = socket;
      const user = await options.authenticate(data.token, socket.handshake.address);
      if (!user) {
        signOut(socket);
        continue;
      }
      const demoted = data.user.isAdmin && !user.isAdmin;
      data.user = user;
      if (!demoted) continue;
      for (const runId of data.runIds) if (!(await options.mayWatch(user, runId))) leave(socket, runId);
    }
  };
  const recheckTimer = setInterval(() => {
    // What cannot be checked now is checked the next time.
    recheck().catch((error: unknown) => log(`live: ${toYeeterError(error).message}`));
  }, RECHECK_INTERVAL_MS);
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
      return io.sockets.sockets.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
