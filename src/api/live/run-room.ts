import type { RunStatus } from '../../domain/run-state.ts';
import { YeeterError } from '../../lib/errors.ts';
import type { Closeable } from '../../lib/lifecycle.ts';
import type { QueuedJob } from '../../live/port.ts';
import { createBell } from './bell.ts';
import { statusUpdate } from './payloads.ts';
import { createRoomPace, type PacedEvent } from './room-pace.ts';
import { createRoomReader, type RoomPayload, type RoomReaderOptions } from './room-reader.ts';

export type RoomEvent = PacedEvent | 'simulation_async_progress';

export interface RunRoomOptions extends Omit<RoomReaderOptions, 'tell' | 'onProgress'> {
  emit: (event: RoomEvent, payload: RoomPayload) => void;
  log: (line: string) => void;
}

/** What the members of one room are told: read from the ledger when something changed, for as long as there are any. */
export interface RunRoom extends Closeable {
  /** Resolves once everything that is stored from now on will be told. @throws {YeeterError} RUN_NOT_FOUND */
  ready: Promise<{ status: RunStatus; lastEventId: number }>;
  /** Something changed. */
  wake(queued?: readonly QueuedJob[]): void;
  /** What a new member starts from. */
  current(): { event: RoomEvent; payload: RoomPayload }[];
}

/** A lost fact costs no more than this. */
const POLL_MS = 2000;
const MIN_READ_INTERVAL_MS = 100;
/** While more waits than may be told in a second, there is no hurry to read more. */
const BUSY_READ_INTERVAL_MS = 1_000;
const BUSY = 20;
/** A reading that took long is not repeated soon: readings may take this share of the time. */
const READ_SHARE = 0.2;
const MIN_SLEEP_MS = 5;

export function createRunRoom(options: RunRoomOptions): RunRoom {
  const { runId, now, emit } = options;
  const bell = createBell();
  const pace = createRoomPace<() => RoomPayload>();
  const reader = createRoomReader({
    ...options,
    tell: (event, payload) => pace.add(event, payload, now()),
    onProgress: (payload) => emit('simulation_async_progress', payload),
  });
  let closed = false;
  let changed = true;
  let nextReadMs = 0;
  let nextPollMs = 0;

  const untilReadMs = (): number => {
    const wanted = changed ? 0 : Math.min(nextPollMs - now(), reader.untilFiguresMs() ?? POLL_MS);
    return Math.max(wanted, nextReadMs - now());
  };

  const read = async (): Promise<void> => {
    const startedMs = now();
    const wasChanged = changed;
    changed = false;
    nextPollMs = startedMs + POLL_MS;
    try {
      if (await reader.read(wasChanged)) changed = true;
      const intervalMs = pace.waiting > BUSY ? BUSY_READ_INTERVAL_MS : MIN_READ_INTERVAL_MS;
      nextReadMs = startedMs + Math.max(intervalMs, (now() - startedMs) / READ_SHARE);
    } catch (error) {
      // A run that was deleted has nothing more to tell.
      if (error instanceof YeeterError && error.code === 'RUN_NOT_FOUND') closed = true;
      else
        options.log(`live room of run ${runId}: ${error instanceof Error ? error.message : String(error)}`);
      nextReadMs = now() + POLL_MS;
    }
  };

  const loop = async (): Promise<void> => {
    while (!closed) {
      if (untilReadMs() <= 0) await read();
      for (const { kind, payload } of pace.take(now())) emit(kind, payload());
      if (closed) break;
      const sleepMs = Math.min(untilReadMs(), pace.waitMs(now()) ?? POLL_MS);
      await bell.sleep(Math.max(MIN_SLEEP_MS, sleepMs));
    }
  };

  const opened = reader.open();
  const looping = opened.then(loop, () => {});
  const ready = opened.then(() => ({ status: reader.status, lastEventId: reader.newestEventId }));
  ready.catch(() => {});

  const close = async (): Promise<void> => {
    closed = true;
    bell.ring();
    await looping;
  };
  return {
    ready,
    wake: (queued = []) => {
      for (const job of queued) reader.queued(job);
      changed = true;
      bell.ring();
    },
    current: () => [
      { event: 'sim_run_status_update', payload: statusUpdate(runId, reader.status) },
      ...(reader.progress ? [{ event: 'simulation_async_progress' as const, payload: reader.progress }] : []),
    ],
    close,
    [Symbol.asyncDispose]: close,
  };
}
