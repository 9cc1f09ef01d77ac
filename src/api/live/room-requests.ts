import { type ErrorCode, toYeeterError } from '../../lib/errors.ts';
import { type LiveSocket, type LiveUser, refusal } from './live-socket.ts';
import { type JoinAnswer, runIdOf } from './protocol.ts';
import type { Rooms } from './rooms.ts';
import { LIMITS } from './socket-limits.ts';

export interface RoomRequestsOptions {
  rooms: Rooms;
  mayWatch: (user: LiveUser, runId: number) => Promise<boolean>;
  log: (line: string) => void;
}

/** Who is in which room. */
export interface RoomRequests {
  /** Takes the requests of a socket, until it is gone. */
  serve(socket: LiveSocket): void;
  /** Leaves the rooms that its user may no longer watch. */
  recheck(socket: LiveSocket): Promise<void>;
}

export const roomOf = (runId: number): string => `run ${runId}`;

function tell(socket: LiveSocket, joined: JoinAnswer, answer: unknown): void {
  if (!joined.ok) {
    const { ok: _, ...why } = joined;
    socket.emit('error', why);
  }
  if (typeof answer === 'function') answer(joined);
}

export function createRoomRequests({ rooms, mayWatch, log }: RoomRequestsOptions): RoomRequests {
  const leave = (socket: LiveSocket, runId: number): void => {
    socket.data.runIds.delete(runId);
    void socket.leave(roomOf(runId));
    rooms.leave(runId, socket.id);
  };

  const join = async (socket: LiveSocket, runId: number): Promise<JoinAnswer> => {
    const { user, runIds } = socket.data;
    const refuse = (code: ErrorCode, error: string): JoinAnswer => ({
      ok: false,
      ...refusal(code, error, runId),
    });
    const missing = `there is no run ${runId} of yours`;
    if (!runIds.has(runId) && runIds.size >= LIMITS.rooms)
      return refuse('TOO_MANY_REQUESTS', `a connection watches at most ${LIMITS.rooms} runs: leave one`);
    runIds.add(runId);
    try {
      const room = (await mayWatch(user, runId)) ? rooms.enter(runId, socket.id) : null;
      if (!room) {
        runIds.delete(runId);
        return refuse('RUN_NOT_FOUND', missing);
      }
      const { status, lastEventId } = await room.ready;
      if (!socket.connected || !runIds.has(runId)) {
        leave(socket, runId);
        return refuse('CANCELLED', 'the room was left before it was joined');
      }
      await socket.join(roomOf(runId));
      for (const { event, payload } of room.current()) socket.emit(event, payload);
      return { ok: true, run_id: runId, status, last_event_id: lastEventId };
    } catch (thrown) {
      leave(socket, runId);
      const { code, message } = toYeeterError(thrown);
      if (code === 'RUN_NOT_FOUND') return refuse(code, missing);
      log(`live room of run ${runId}: ${message}`);
      return refuse('INTERNAL', `run ${runId} cannot be read at the moment: try again`);
    }
  };

  return {
    serve: (socket) => {
      socket.on('join_run_room', async (payload, answer) => {
        const runId = runIdOf(payload);
        const unnamed = refusal('VALIDATION', 'join_run_room takes {run_id}, the number of a run');
        tell(socket, runId === null ? { ok: false, ...unnamed } : await join(socket, runId), answer);
      });
      socket.on('leave_run_room', (payload, answer) => {
        const runId = runIdOf(payload);
        if (runId !== null) leave(socket, runId);
        if (typeof answer === 'function') answer({ ok: true, run_id: runId });
      });
      socket.on('disconnect', () => {
        for (const runId of [...socket.data.runIds]) leave(socket, runId);
      });
    },
    recheck: async (socket) => {
      const { user, runIds } = socket.data;
      for (const runId of [...runIds]) if (!(await mayWatch(user, runId))) leave(socket, runId);
    },
  };
}
