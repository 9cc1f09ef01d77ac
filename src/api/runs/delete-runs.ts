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
  /** An answer waits so long for cancelled runs to end and for rows to go. @default 10000 */
  patienceMs?: number;
  /** Between two looks at whether cancelled runs are over. @default 250 */
  intervalMs?: number;
}

const PAGE = 1000;

/**
 * Runs go at once and their rows after them; an answer does not wait for a long one, and what is left is done behind
 * it.
 */
export function createRunDeletion(deps: RunDeletionDeps): RunDeletion {
  const { store, log, patienceMs = 10_000, intervalMs = 250 } = deps;
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();

  const deleteAll = async (runIds: readonly number[], active: readonly number[]): Promise<void> => {
    await Promise.all(active.map((id) => store.requestCancel(id)));
    let left = new Set(runIds);
    while (left.size > 0) {
      for (const id of await store.deleteRuns([...left])) left.delete(id);
      // What is neither deleted nor active was deleted by somebody else.
      if (active.every((id) => !left.has(id))) return;
      left = new Set(active.filter((id) => left.has(id)));
      if (!(await delay(intervalMs, closing.signal))) return;
    }
  };

  const patiently = async (work: Promise<void>): Promise<void> => {
    const patience = new AbortController();
    const tracked = work
      .catch((error: unknown) => {
        // While somebody waits for it, it is theirs.
        if (patience.signal.aborted) log(`runs could not be deleted: ${String(error)}`);
        else throw error;
      })
      .finally(() => underWay.delete(tracked));
    underWay.add(tracked);
    const waiting = new AbortController();
    try {
      await Promise.race([tracked, delay(patienceMs, waiting.signal)]);
    } finally {
      patience.abort();
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
    await Promise.allSettled(underWay);
  };
  return {
    deleteOne: ({ id, status }) => patiently(deleteAll([id], isOver(status) ? [] : [id])),
    deleteAllOf: async (userId) => {
      const runs = await runsOf(userId);
      const active = runs.filter(({ status }) => !isOver(status)).map(({ id }) => id);
      await patiently(
        deleteAll(
          runs.map(({ id }) => id),
          active,
        ),
      );
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
