import type { Closeable } from '../../lib/lifecycle.ts';
import { createBell } from './bell.ts';
import { workerMetricsUpdate } from './payloads.ts';
import type { RoomPayload } from './room-reader.ts';
import type { SystemState } from './system-state.ts';

export interface OverviewOptions {
  systemState: () => Promise<SystemState>;
  /** Nothing is read while nobody looks. */
  isWatched: () => boolean;
  emit: (payload: RoomPayload) => void;
  log: (line: string) => void;
}

/** Queues and workers of the whole deployment, once a second while anything moves. */
export interface Overview extends Closeable {
  /** Tells one that has come what all know. */
  greet(tell: (payload: RoomPayload) => void): void;
  /** Workers that consume any of the queues, as of the last second. */
  workersOn(queues: readonly string[]): number;
}

const INTERVAL_MS = 1000;

export function createOverview({ systemState, isWatched, emit, log }: OverviewOptions): Overview {
  const bell = createBell();
  let closed = false;
  let state: SystemState | null = null;
  let told: RoomPayload | null = null;
  let failing = false;

  const look = async (): Promise<void> => {
    try {
      state = await systemState();
      failing = false;
    } catch (error) {
      if (!failing) log(`live: ${error instanceof Error ? error.message : String(error)}`);
      failing = true;
      return;
    }
    const payload = workerMetricsUpdate(state);
    const moved = JSON.stringify({ ...payload, at: null }) !== JSON.stringify({ ...told, at: null });
    if (!moved || closed) return;
    told = payload;
    emit(payload);
  };

  const loop = async (): Promise<void> => {
    while (!closed) {
      if (isWatched()) await look();
      await bell.sleep(INTERVAL_MS);
    }
  };
  const looping = loop();

  const close = async (): Promise<void> => {
    closed = true;
    bell.ring();
    await looping;
  };
  return {
    greet: (tell) => {
      if (told) tell(told);
    },
    workersOn: (queues) =>
      (state?.workers ?? []).filter((worker) => worker.queues.some((queue) => queues.includes(queue))).length,
    close,
    [Symbol.asyncDispose]: close,
  };
}
