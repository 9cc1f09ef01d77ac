import type { RunStatus } from '../../domain/run-state.ts';
import { createCached } from '../../lib/cached.ts';
import type { Clock } from '../../lib/clock.ts';
import type { QueueAdmin, QueueStatus } from '../../queue/admin-port.ts';
import type { StoredWorker } from '../../storage/coordination-port.ts';
import type { RunSummary, ServerStore } from '../../storage/server-port.ts';

export type SystemStore = Pick<ServerStore, 'listRunSummaries' | 'listWorkers' | 'readWindows'>;

export interface SystemState {
  atMs: number;
  /** That said something lately and have not stopped. */
  workers: readonly StoredWorker[];
  /** Null when the broker does not answer. */
  queues: readonly QueueStatus[] | null;
  /** Not over, newest first, at most `MAX_ACTIVE_RUNS` of each status. */
  activeRuns: readonly RunSummary[];
  /** Attempts handled in the last closed seconds, all active runs together. */
  attempts: { count: number; perSecond: number; averageMs: number | null };
}

export interface SystemStateOptions {
  store: SystemStore;
  queues: Pick<QueueAdmin, 'list'>;
  clock: Clock;
  log: (line: string) => void;
}

const TTL_MS = 1000;
/** A worker beats every 2 s. */
const WORKER_SILENT_MS = 10_000;
const MAX_ACTIVE_RUNS = 20;
/** Runs whose rate is looked at. */
const MAX_RATED_RUNS = 5;
/** Seconds of a rate; the last two may not be there yet. */
const RATE_SECONDS = 3;
const RATE_DELAY_SECONDS = 2;

const ACTIVE: readonly RunStatus[] = ['PENDING', 'RUNNING', 'WAITING_ON_WORKERS'];

/** How the whole deployment is; read at most once a second, however many ask. */
export function createSystemState(options: SystemStateOptions): () => Promise<SystemState> {
  const { store, clock } = options;

  const listQueues = async (): Promise<readonly QueueStatus[] | null> => {
    try {
      return await options.queues.list();
    } catch (error) {
      options.log(
        `the depth of the queues is not known: ${error instanceof Error ? error.message : String(error)}`,
      );
      return null;
    }
  };

  const rate = async (runs: readonly RunSummary[]): Promise<SystemState['attempts']> => {
    const afterSecond = Math.floor(clock.nowMs() / 1000) - RATE_DELAY_SECONDS - RATE_SECONDS;
    let count = 0;
    let sumUs = 0;
    const started = runs.filter(({ status }) => status !== 'PENDING');
    for (const { id } of started.slice(0, MAX_RATED_RUNS)) {
      for (const window of await store.readWindows(id, { afterSecond, limit: RATE_SECONDS })) {
        if (window.series !== 'job' || window.second > afterSecond + RATE_SECONDS) continue;
        count += window.okCount + window.failedCount;
        sumUs += window.okSumUs + window.failedSumUs;
      }
    }
    return { count, perSecond: count / RATE_SECONDS, averageMs: count === 0 ? null : sumUs / count / 1000 };
  };

  const ask = async (): Promise<SystemState> => {
    const atMs = clock.nowMs();
    const perStatus = await Promise.all(
      ACTIVE.map((status) => store.listRunSummaries({ status, limit: MAX_ACTIVE_RUNS })),
    );
    const activeRuns = perStatus.flat().sort((a, b) => b.id - a.id);
    const [workers, queues, attempts] = await Promise.all([
      store.listWorkers({ seenSinceMs: atMs - WORKER_SILENT_MS }),
      listQueues(),
      rate(activeRuns),
    ]);
    return {
      atMs,
      workers: workers.filter(({ state }) => state !== 'stopped'),
      queues,
      activeRuns,
      attempts,
    };
  };
  return createCached(ask, { ttlMs: TTL_MS, now: () => clock.monotonicUs() / 1000 });
}
