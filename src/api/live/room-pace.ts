/** What may wait for its turn, by kind; of each the oldest give way when too many wait. */
const WAITING = {
  sim_log_update: 400,
  simulation_async_job_queued: 40,
  simulation_async_job_completed: 40,
  sim_run_status_update: 10,
} as const;

export type PacedEvent = keyof typeof WAITING;

const KINDS = Object.keys(WAITING) as PacedEvent[];
const STATUS: PacedEvent = 'sim_run_status_update';
/** Log lines are told one by one, jobs are a sample when there are many. */
const TURNS: readonly PacedEvent[] = [
  'sim_log_update',
  'simulation_async_job_queued',
  'sim_log_update',
  'simulation_async_job_completed',
  'sim_log_update',
];

/** A browser is shown so much, whatever happens. */
const PER_SECOND = 20;
/** A status comes after the rows that led to it, unless those are many. */
const STATUS_WAITS_MS = 1000;

/**
 * Lets at most 20 events into any second. Kinds take turns; a status goes when nothing else waits, and after a second
 * in any case. The newest of each kind always goes.
 */
export interface RoomPace<Payload> {
  add(kind: PacedEvent, payload: Payload, nowMs: number): void;
  /** What may go now, in order. */
  take(nowMs: number): { kind: PacedEvent; payload: Payload }[];
  /** Until something that waits may go; null when nothing waits. */
  waitMs(nowMs: number): number | null;
  /** Events that wait. */
  readonly waiting: number;
  /** Events that gave way so far. */
  readonly skipped: number;
}

export function createRoomPace<Payload>(): RoomPace<Payload> {
  const queues = new Map(KINDS.map((kind) => [kind, [] as { payload: Payload; sinceMs: number }[]]));
  /** When the last events went, oldest first. */
  const sentMs: number[] = [];
  let turn = 0;
  let skipped = 0;

  const next = (nowMs: number): PacedEvent | null => {
    const status = queues.get(STATUS)![0];
    if (status && nowMs - status.sinceMs >= STATUS_WAITS_MS) return STATUS;
    for (let step = 0; step < TURNS.length; step++) {
      const kind = TURNS[(turn + step) % TURNS.length]!;
      if (queues.get(kind)!.length === 0) continue;
      turn += step + 1;
      return kind;
    }
    return status ? STATUS : null;
  };
  const count = (): number => [...queues.values()].reduce((sum, queue) => sum + queue.length, 0);
  const pauseMs = (nowMs: number): number => {
    const oldest = sentMs.length < PER_SECOND ? undefined : sentMs[0];
    return oldest === undefined ? 0 : Math.max(0, oldest + 1000 - nowMs);
  };

  return {
    add: (kind, payload, nowMs) => {
      const queue = queues.get(kind)!;
      queue.push({ payload, sinceMs: nowMs });
      if (queue.length <= WAITING[kind]) return;
      queue.shift();
      skipped++;
    },
    take: (nowMs) => {
      const going: { kind: PacedEvent; payload: Payload }[] = [];
      while (pauseMs(nowMs) === 0) {
        const kind = next(nowMs);
        if (kind === null) break;
        going.push({ kind, payload: queues.get(kind)!.shift()!.payload });
        sentMs.push(nowMs);
        if (sentMs.length > PER_SECOND) sentMs.shift();
      }
      return going;
    },
    waitMs: (nowMs) => (count() > 0 ? pauseMs(nowMs) : null),
    get waiting() {
      return count();
    },
    get skipped() {
      return skipped;
    },
  };
}
