import type { Clock } from '../../lib/clock.ts';
import type { RunTotals } from '../../metrics/totals.ts';
import { SERIES_LAG_MS } from '../port.ts';

/** What is added up sooner than this is added up anew each time. */
const CHEAP_MS = 100;
/** What took long is used again for so many times as long. */
const REUSE = 4;

/** A run as it was when its totals were asked for. */
export interface AskedRun {
  id: number;
  /** null while it is under way */
  overAtMs: number | null;
}

/** Totals that took long to add up, so that they are not added up all the time: a fifth of it at most. */
export interface RecentTotals {
  /** undefined when they have to be added up */
  of(run: AskedRun): RunTotals | undefined;
  /** Adds up the totals of `runs`, and remembers them when that took long. */
  measured(runs: readonly AskedRun[], addUp: () => Promise<RunTotals[]>): Promise<RunTotals[]>;
}

export function createRecentTotals(clock: Pick<Clock, 'nowMs' | 'monotonicUs'>): RecentTotals {
  const remembered = new Map<number, { overAtMs: number | null; holdsUntilUs: number; totals: RunTotals }>();

  const forgetOld = (nowUs: number): void => {
    for (const [id, { holdsUntilUs }] of remembered) if (holdsUntilUs <= nowUs) remembered.delete(id);
  };
  return {
    of: ({ id, overAtMs }) => {
      const found = remembered.get(id);
      const holds =
        found !== undefined && found.overAtMs === overAtMs && clock.monotonicUs() < found.holdsUntilUs;
      return holds ? found.totals : undefined;
    },
    measured: async (runs, addUp) => {
      const [beganMs, beganUs] = [clock.nowMs(), clock.monotonicUs()];
      const all = await addUp();
      const nowUs = clock.monotonicUs();
      const tookUs = nowUs - beganUs;
      forgetOld(nowUs);
      if (tookUs < CHEAP_MS * 1000) return all;
      const overAt = new Map(runs.map(({ id, overAtMs }) => [id, overAtMs]));
      for (const totals of all) {
        const overAtMs = overAt.get(totals.runId) ?? null;
        // The last of its rows may be on their way.
        if (overAtMs !== null && beganMs < overAtMs + SERIES_LAG_MS) continue;
        remembered.set(totals.runId, { overAtMs, holdsUntilUs: nowUs + REUSE * tookUs, totals });
      }
      return all;
    },
  };
}
