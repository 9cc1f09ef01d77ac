import type { DefaultEventsMap, Socket } from 'socket.io';
import type { ErrorCode } from '../../lib/errors.ts';
import type { ClientEvents, Refusal, ServerEvents } from './protocol.ts';

export interface LiveUser {
  id: number;
  isAdmin: boolean;
  /** When the credentials end, milliseconds since the epoch; null for those that do not. */
  expiresAtMs: number | null;
}

export interface SocketData {
  user: LiveUser;
  token: string;
  /** Rooms that it is in, or is about to be. */
  runIds: Set<number>;
}

export type LiveSocket = Socket<ClientEvents, ServerEvents, DefaultEventsMap, SocketData>;

export function refusal(code: ErrorCode, error: string, runId: number | null = null): Refusal {
  return { error, code, run_id: runId };
}

/** As it stands in `auth`; some clients write the scheme of the header before it. */
export function tokenOf(socket: LiveSocket): string {
  const given: unknown = socket.handshake.auth.token;
  return typeof given === 'string' ? given.replace(/^(Bearer|ApiKey) /i, '').trim() : '';
}

export function signOut(socket: LiveSocket): void {
  socket.emit('error', refusal('UNAUTHENTICATED', 'the credentials of this connection have ended: sign in'));
  socket.disconnect(true);
}
