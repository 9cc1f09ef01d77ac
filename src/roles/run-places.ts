import { delay } from '../lib/lifecycle.ts';
import type { QueuePort } from '../queue/port.ts';
import type { CoordinationPort, RunCounts } from '../storage/coordination-port.ts';
import type { RunRecord } from '../storage/port.ts';

export interface RunPlacesOptions {
  run: Pick<RunRecord, 'id' | 'concurrency' | 'closedModel'>;
  store: Pick<CoordinationPort, 'runCounts'>;
  queue: Pick<QueuePort, 'depth'>;
  queues: readonly string[];
  /** Its jobs are objects of this process. */
  isVolatile: boolean;
  /** Iterations started, in this life of the run and before. */
  started: () => number;
  isDraining: () => boolean;
  /** Called while there is no place: jobs that nobody will end must not hold theirs for ever. */
  whileFull: () => Promise<void>;
}

export interface RunPlaces {
  count(): Promise<RunCounts>;
  /** When it may be counted again. */
  readonly nextCountMs: number;
  /** Resolves when there is a place for another patient, or at the signal. */
  free(stop: AbortSignal): Promise<void>;
}

/** Counting may take a tenth of the time. */
const COUNTING_SHARE = 10;
/** Iterations under way in queues and workers, of a run whose queues may fill; nobody is served by a longer line. */
const MAX_BACKLOG = 20_000;
/** Jobs that are due, where they are objects of this process: many that live for long halve its speed. */
const MAX_DUE_HERE = 2_000;
/**
 * A place that a patient's end has freed is looked for so often, or in a tenth of the time if that takes long: as soon
 * as it goes where few are under way; where many are, before a quarter of the places is free at 10,000 ends a second.
 */
const closedPollMs = (most: number): number => Math.max(5, Math.ceil(most / 40));
const BACKLOG_POLL_MS = 200;
const BACKLOG_HERE_POLL_MS = 10;

/** Places for patients of a run whose jobs are in queues and workers; without jobs, its runner knows them all. */
export function createRunPlaces(options: RunPlacesOptions): RunPlaces {
  const { run, store, queue, queues, isVolatile } = options;
  const most = run.closedModel ? run.concurrency : MAX_BACKLOG;
  const backlogPollMs = isVolatile ? BACKLOG_HERE_POLL_MS : BACKLOG_POLL_MS;
  const pollMs = run.closedModel ? closedPollMs(most) : backlogPollMs;
  let ended = 0;
  let nextCountMs = 0;

  const count = async (): Promise<RunCounts> => {
    const askedMs = performance.now();
    const counts = await store.runCounts(run.id);
    nextCountMs = performance.now() + (performance.now() - askedMs) * COUNTING_SHARE;
    ended = counts.completed + counts.failed + counts.cancelled;
    return counts;
  };

  // Since the last count some may have ended, none has come back.
  const isFullByLastCount = (): boolean => options.started() - ended >= most;
  const hasJobs = queues.length > 0;
  const isFull = async (stop: AbortSignal): Promise<boolean> => {
    if (!hasJobs || !isFullByLastCount()) return false;
    await options.whileFull();
    await delay(Math.max(0, nextCountMs - performance.now()), stop);
    await count();
    return isFullByLastCount();
  };

  const isLaden = async (): Promise<boolean> => {
    if (!isVolatile) return false;
    let due = 0;
    let delayed = 0;
    for (const depth of await queue.depth(queues)) {
      due += depth.ready + depth.unacknowledged;
      delayed += depth.delayed;
    }
    return due > MAX_DUE_HERE || delayed > MAX_BACKLOG;
  };

  return {
    count,
    get nextCountMs() {
      return nextCountMs;
    },
    free: async (stop) => {
      while ((options.isDraining() || (await isLaden()) || (await isFull(stop))) && !stop.aborted) {
        await delay(pollMs, stop);
      }
    },
  };
}
