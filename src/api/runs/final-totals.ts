import type { Clock } from '../../lib/clock.ts';
import { delay } from '../../lib/lifecycle.ts';
import { type RunTotals, SERIES_LAG_MS } from '../../storage/port.ts';
import type { RunSummary, ServerStore } from '../../storage/server-port.ts';

const POLL_MS = 100;

/** Every attempt is in the series of jobs, and what it did in the other series before. */
function hasAllSeries({ attempts, series }: RunTotals): boolean {
  const jobs = series.find(({ series: name }) => name === 'job');
  return (jobs ? jobs.okCount + jobs.failedCount : 0) >= attempts;
}

/**
 * The totals of a run; of one that has just ended once its workers have stored the figures of its last second, which
 * they do within 2.5 s. A worker that was killed never does.
 */
export async function finalTotals(
  store: Pick<ServerStore, 'totalsOfRuns'>,
  run: Pick<RunSummary, 'id' | 'completedAtMs'>,
  clock: Clock,
): Promise<RunTotals | undefined> {
  for (;;) {
    const [totals] = await store.totalsOfRuns([run.id]);
    const isRecent = run.completedAtMs !== null && clock.nowMs() - run.completedAtMs < SERIES_LAG_MS;
    if (!totals || !isRecent || hasAllSeries(totals)) return totals;
    await delay(POLL_MS);
  }
}
