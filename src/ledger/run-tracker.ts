import type { IterationOutcome } from '../storage/port.ts';

/** Counts of a run in this process, for progress and for the end of a run whose jobs all live here. */
export interface RunTracker {
  readonly started: number;
  /** The iteration that was started last; 0 before the first. */
  readonly latest: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly inFlight: number;
  start(iteration: number): void;
  end(iteration: number, outcome: IterationOutcome): void;
  /** A queue of other processes has it now: it is in flight here no more. */
  leave(iteration: number): void;
  /** Ends as cancelled whatever is in flight: nobody will report on it any more. */
  abandon(): void;
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>;
}

/** @param onEnd called as each iteration ends or leaves, for whoever holds a place for it */
export function createRunTracker(onEnd: () => void): RunTracker {
  const open = new Set<number>();
  const counts: Record<IterationOutcome, number> = { completed: 0, failed: 0, cancelled: 0 };
  let started = 0;
  let latest = 0;
  let waiting: (() => void)[] = [];
  const leave = (iteration: number): boolean => {
    if (!open.delete(iteration)) return false;
    onEnd();
    if (open.size === 0) {
      for (const resolve of waiting) resolve();
      waiting = [];
    }
    return true;
  };
  const end = (iteration: number, outcome: IterationOutcome): void => {
    if (open.has(iteration)) counts[outcome]++;
    leave(iteration);
  };
  return {
    get started() {
      return started;
    },
    get latest() {
      return latest;
    },
    get completed() {
      return counts.completed;
    },
    get failed() {
      return counts.failed;
    },
    get cancelled() {
      return counts.cancelled;
    },
    get inFlight() {
      return open.size;
    },
    start: (iteration) => {
      started++;
      latest = iteration;
      open.add(iteration);
    },
    end,
    leave,
    abandon: () => {
      for (const iteration of [...open]) end(iteration, 'cancelled');
    },
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
