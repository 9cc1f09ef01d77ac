import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { WindowRow } from '../../metrics/series.ts';
import type { RunSummary } from '../../storage/server-port.ts';
import { createSystemState } from './system-state.ts';

const NOW_MS = 1_000_000;

it('rates the jobs of runs under way, however many newer ones wait for their turn', async () => {
  const pending = Array.from({ length: 9 }, (_, n) => ({ id: 10 + n, status: 'PENDING' }));
  const running = { id: 1, status: 'RUNNING' };
  const runs = [...pending, running] as RunSummary[];
  const state = await createSystemState({
    store: {
      listRunSummaries: async ({ status }) => runs.filter((run) => run.status === status),
      listWorkers: async () => [],
      readWindows: async (runId, { afterSecond }) => {
        const window = { runId, series: 'job', second: afterSecond + 1, okCount: 9, okSumUs: 18_000 };
        return runId === running.id ? [{ ...window, failedCount: 0, failedSumUs: 0 } as WindowRow] : [];
      },
    },
    queues: { list: async () => [] },
    clock: { nowMs: () => NOW_MS, monotonicUs: () => 0, epochUs: () => NOW_MS * 1000 },
    log: () => {},
  })();
  assert.deepEqual(state.attempts, { count: 9, perSecond: 3, averageMs: 2 });
});
