import { z } from 'zod';
import type { RunStatus } from '../../domain/run-state.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { RoomEvent } from './run-room.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Why something was refused; as an event `error`, in an acknowledgement, or as `data` of a `connect_error`. */
export interface Refusal {
  error: string;
  code: ErrorCode;
  run_id: number | null;
}

/** The answer to who asks for one: `last_event_id` is the newest event before the live ones. */
export type JoinAnswer =
  | { ok: true; run_id: number; status: RunStatus; last_event_id: number }
  | ({ ok: false } & Refusal);

export type ServerEvent = RoomEvent | 'worker_metrics_update' | 'listener_status' | 'new_message_received';

export type ServerEvents = Record<ServerEvent, (payload: Fields) => void> & {
  error: (refusal: Refusal) => void;
};

/** What clients send is anything at all until it is parsed. */
export interface ClientEvents {
  join_run_room: (payload: unknown, answer?: unknown) => void;
  leave_run_room: (payload: unknown, answer?: unknown) => void;
}

const digits = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const ROOM_REQUEST = z.object({ run_id: z.union([z.int(), digits]).pipe(z.int().positive()) });

/** The run that a client names; null when it names none. */
export function runIdOf(payload: unknown): number | null {
  const { success, data } = ROOM_REQUEST.safeParse(payload);
  return success ? data.run_id : null;
}
