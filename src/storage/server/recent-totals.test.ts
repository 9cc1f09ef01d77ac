import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunTotals } from '../../metrics/totals.ts';
import { createRecentTotals, type RecentTotals } from './recent-totals.ts';

const START_MS = 1_000_000;

/** Adding up takes as long as the test says. */
function stopwatch() {
  let ms = 0;
  const recent = createRecentTotals({ nowMs: () => START_MS + ms, monotonicUs: () => ms * 1000 });
  const addUp = (id: number, overAtMs: number | null, tookMs: number): Promise<RunTotals[]> =>
    recent.measured([{ id, overAtMs }], async () => {
      ms += tookMs;
      return [{ runId: id, attempts: 7 } as RunTotals];
    });
  const pass = (by: number): void => {
    ms += by;
  };
  return { recent, addUp, pass };
}

const attempts = (recent: RecentTotals, id: number, overAtMs: number | null): number | undefined =>
  recent.of({ id, overAtMs })?.attempts;

describe('totals that took long', () => {
  it('are used again for four times as long as they took', async () => {
    const { recent, addUp, pass } = stopwatch();
    await addUp(1, null, 500);
    assert.equal(attempts(recent, 1, null), 7);
    assert.equal(attempts(recent, 2, null), undefined);
    pass(1_999);
    assert.equal(attempts(recent, 1, null), 7);
    pass(1);
    assert.equal(attempts(recent, 1, null), undefined);
  });

  it('are not used when they were cheap', async () => {
    const { recent, addUp } = stopwatch();
    assert.equal((await addUp(1, null, 99)).length, 1);
    assert.equal(attempts(recent, 1, null), undefined);
  });

  it('are not used for a run that has ended since, or is under way again', async () => {
    const { recent, addUp } = stopwatch();
    await addUp(1, null, 500);
    assert.equal(attempts(recent, 1, START_MS), undefined);
    await addUp(2, START_MS - 10_000, 500);
    assert.equal(attempts(recent, 2, START_MS - 10_000), 7);
    assert.equal(attempts(recent, 2, null), undefined);
  });

  it('are not used when the last rows of the run may have been on their way', async () => {
    const { recent, addUp, pass } = stopwatch();
    await addUp(1, START_MS - 2_499, 500);
    assert.equal(attempts(recent, 1, START_MS - 2_499), undefined);
    pass(1);
    await addUp(1, START_MS - 2_499, 500);
    assert.equal(attempts(recent, 1, START_MS - 2_499), 7);
  });
});
