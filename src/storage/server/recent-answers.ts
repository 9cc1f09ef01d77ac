import type { Clock } from '../../lib/clock.ts';
import { createSemaphore } from '../../lib/semaphore.ts';
import { SERIES_LAG_MS } from '../port.ts';

/** Attempts that were under way when a run ended have their rows by then. */
export const SETTLED_AFTER_MS = 60_000;
/** What is found sooner than this is looked for each time. */
const CHEAP_MS = 100;
/** What took long is used again for so many times as long, so that it takes a fifth of the time at most. */
const REUSE = 4;
/** What took long about a run that has all its rows is used again for so long. */
const SETTLED_HOLDS_MS = 600_000;

/** A run as it was when it was asked about. */
export interface AskedRun {
  id: number;
  /** null while it is under way */
  overAtMs: number | null;
}

/** Answers by their run; a run without one is left out. */
export type AnswersOfRuns<T> = ReadonlyMap<number, T>;

/**
 * Answers about runs of a kind that may take long: one search at a time, whose answers are used again for a while when
 * they did. They are of a run as it was asked about: one that has ended since, or is under way again, has others.
 */
export type RecentAnswers<T> = (
  runs: readonly AskedRun[],
  find: (runs: readonly AskedRun[]) => Promise<AnswersOfRuns<T>>,
) => Promise<AnswersOfRuns<T>>;

interface Remembered<T> {
  overAtMs: number | null;
  /** On the monotonic clock. */
  holdsUntilUs: number;
  answer: T;
}

export function createRecentAnswers<T>(clock: Pick<Clock, 'nowMs' | 'monotonicUs'>): RecentAnswers<T> {
  const remembered = new Map<number, Remembered<T>>();
  /** Who waits for what somebody else looks for finds it remembered, if that took long. */
  const searching = createSemaphore(1);

  const recall = ({ id, overAtMs }: AskedRun): Remembered<T> | undefined => {
    const found = remembered.get(id);
    return found?.overAtMs === overAtMs && clock.monotonicUs() < found.holdsUntilUs ? found : undefined;
  };
  const holdsUs = (tookUs: number, beganMs: number, overAtMs: number | null): number => {
    if (tookUs < CHEAP_MS * 1000) return 0;
    if (overAtMs === null) return REUSE * tookUs;
    // The last of its rows may be on their way.
    if (beganMs < overAtMs + SERIES_LAG_MS) return 0;
    return beganMs < overAtMs + SETTLED_AFTER_MS ? REUSE * tookUs : SETTLED_HOLDS_MS * 1000;
  };
  const search: RecentAnswers<T> = async (runs, find) => {
    const [beganMs, beganUs] = [clock.nowMs(), clock.monotonicUs()];
    const answers = await find(runs);
    const nowUs = clock.monotonicUs();
    for (const [id, { holdsUntilUs }] of remembered) if (holdsUntilUs <= nowUs) remembered.delete(id);
    for (const { id, overAtMs } of runs) {
      const answer = answers.get(id);
      const forUs = holdsUs(nowUs - beganUs, beganMs, overAtMs);
      if (answer !== undefined && forUs > 0)
        remembered.set(id, { overAtMs, holdsUntilUs: nowUs + forUs, answer });
    }
    return answers;
  };

  return async (runs, find) => {
    await searching.acquire();
    try {
      const answers = new Map<number, T>();
      for (const run of runs) {
        const known = recall(run);
        if (known) answers.set(run.id, known.answer);
      }
      const open = runs.filter(({ id }) => !answers.has(id));
      return open.length === 0 ? answers : new Map([...answers, ...(await search(open, find))]);
    } finally {
      searching.release();
    }
  };
}
