import { isOver } from '../../domain/run-state.ts';
import { type Closeable, delay } from '../../lib/lifecycle.ts';
import type { RunSummary, ServerStore } from '../../storage/server-port.ts';

export interface RunDeletion extends Closeable {
  /** A run that is not over is cancelled first, and goes once it is over. */
  deleteOne(run: Pick<RunSummary, 'id' | 'status'>): Promise<void>;
  deleteAllOf(userId: number): Promise<void>;
}

export interface RunDeletionDeps {
  store: Pick<ServerStore, 'deleteRuns' | 'requestCancel' | 'listRunSummaries'>;
  log: (line: string) => void;
  /** An answer waits so long for cancelled runs to end and for rows to go. @default 5000 */
  patienceMs?: number;
  /** Between two looks at whether cancelled runs are over. @default 250 */
  intervalMs?: number;
}

const PAGE = 1000;

/**
 * Runs go at once and their rows after them. Cancelled ones are looked at until they are over, by one loop however
 * many are asked for; an answer does not wait for long, and what is left is done behind it.
 */
export function createRunDeletion(deps: RunDeletionDeps): RunDeletion {
  const { store, log, patienceMs = 5_000, intervalMs = 250 } = deps;
  const closing = new AbortController();
  /** Cancelled runs that are to go. */
  const ending = new Set<number>();
  let loop: Promise<void> | null = null;
  const underWay = new Set<Promise<unknown>>();

  const deleteEnded = async (): Promise<void> => {
    for (let look = 1; ending.size > 0 && !closing.signal.aborted; look++) {
      try {
        for (const id of await store.deleteRuns([...ending])) ending.delete(id);
        await forgetMissing();
      } catch (error) {
        log(`cancelled runs could not be deleted yet: ${String(error)}`);
      }
      // A run that no runner takes may never be over.
      if (ending.size > 0) await delay(Math.min(look, 20) * intervalMs, closing.signal);
    }
  };

  /** Another process may have deleted them. */
  const forgetMissing = async (): Promise<void> => {
    for (const id of [...ending]) {
      await store.requestCancel(id).catch(() => ending.delete(id));
    }
  };

  const startLoop = (): void => {
    loop ??= deleteEnded().finally(() => {
      loop = null;
    });
  };

  const deleteRuns = async (runs: readonly Pick<RunSummary, 'id' | 'status'>[]): Promise<void> => {
    const [over, active] = [
      runs.filter(({ status }) => isOver(status)),
      runs.filter(({ status }) => !isOver(status)),
    ];
    for (const { id } of active) {
      await store.requestCancel(id);
      ending.add(id);
    }
    startLoop();
    const deleting = store.deleteRuns(over.map(({ id }) => id));
    underWay.add(deleting);
    const settled = deleting.finally(() => underWay.delete(deleting));
    const waiting = new AbortController();
    const gone = async (): Promise<void> => {
      await settled;
      while (active.some(({ id }) => ending.has(id))) if (!(await delay(intervalMs, waiting.signal))) return;
    };
    const all = gone();
    // After the answer, a fault is for the log alone.
    all.catch(
      (error: unknown) => waiting.signal.aborted && log(`runs could not be deleted: ${String(error)}`),
    );
    try {
      await Promise.race([all, delay(patienceMs, waiting.signal)]);
    } finally {
      waiting.abort();
    }
  };

  const runsOf = async (userId: number): Promise<RunSummary[]> => {
    const runs: RunSummary[] = [];
    for (;;) {
      const last = runs.at(-1);
      const page = await store.listRunSummaries({
        userId,
        limit: PAGE,
        ...(last ? { beforeId: last.id } : {}),
      });
      runs.push(...page);
      if (page.length < PAGE) return runs;
    }
  };

  const close = async (): Promise<void> => {
    closing.abort();
    await Promise.allSettled([loop, ...underWay]);
  };
  return {
    deleteOne: (run) => deleteRuns([run]),
    deleteAllOf: async (userId) => await deleteRuns(await runsOf(userId)),
    close,
    [Symbol.asyncDispose]: close,
  };
}
