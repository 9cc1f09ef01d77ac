import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRecentAnswers } from './recent-answers.ts';

const START_MS = 1_000_000;

/** A search takes as long as the test says, and finds how many there were before it. */
function stopwatch() {
  let ms = 0;
  let searches = 0;
  const recent = createRecentAnswers<number>({ nowMs: () => START_MS + ms, monotonicUs: () => ms * 1000 });
  const pass = (by: number): void => {
    ms += by;
  };
  const ask = async (id: number, overAtMs: number | null, takesMs: number) => {
    const answers = await recent([{ id, overAtMs }], async () => {
      pass(takesMs);
      return new Map([[id, searches++]]);
    });
    return answers.get(id);
  };
  return { recent, ask, pass };
}

describe('answers that took long', () => {
  it('are used again for four times as long as they took', async () => {
    const { ask, pass } = stopwatch();
    assert.equal(await ask(1, null, 500), 0);
    assert.equal(await ask(1, null, 500), 0);
    assert.equal(await ask(2, null, 0), 1, 'of another run');
    pass(1_999);
    assert.equal(await ask(1, null, 500), 0);
    pass(1);
    assert.equal(await ask(1, null, 500), 2);
  });

  it('are used by those who waited for them, and others are looked for', async () => {
    const { recent, ask } = stopwatch();
    const both = recent(
      [
        { id: 1, overAtMs: null },
        { id: 2, overAtMs: null },
      ],
      async (runs) => new Map(runs.map(({ id }) => [id, id * 100])),
    );
    const [first, waited] = await Promise.all([ask(1, null, 500), ask(1, null, 500), both]);
    assert.deepEqual([first, waited], [0, 0]);
    const known = { id: 1, overAtMs: null };
    const open = { id: 3, overAtMs: null };
    const answers = await recent([known, open], async (runs) => {
      assert.deepEqual(runs, [open]);
      return new Map();
    });
    assert.deepEqual([...answers], [[1, 0]]);
  });

  it('are not used when they were found soon', async () => {
    const { ask } = stopwatch();
    assert.equal(await ask(1, null, 99), 0);
    assert.equal(await ask(1, null, 99), 1);
  });

  it('are not used for a run that has ended since, or is under way again', async () => {
    const { ask } = stopwatch();
    assert.equal(await ask(1, null, 500), 0);
    assert.equal(await ask(1, START_MS - 10_000, 500), 1);
    assert.equal(await ask(1, START_MS - 10_000, 500), 1);
    assert.equal(await ask(1, null, 500), 2);
  });

  it('are not used when the last rows of the run may have been on their way', async () => {
    const { ask } = stopwatch();
    assert.equal(await ask(1, START_MS - 2_000, 500), 0);
    assert.equal(await ask(1, START_MS - 2_000, 500), 1);
    assert.equal(await ask(1, START_MS - 2_000, 500), 1, 'they were there');
  });

  it('are used for long when the run has all its rows', async () => {
    const { ask, pass } = stopwatch();
    assert.equal(await ask(1, START_MS - 60_000, 100), 0);
    pass(599_000);
    assert.equal(await ask(1, START_MS - 60_000, 100), 0);
    pass(1_000);
    assert.equal(await ask(1, START_MS - 60_000, 100), 1);
  });

  it('that failed are looked for again', async () => {
    const { recent, ask } = stopwatch();
    await assert.rejects(recent([{ id: 1, overAtMs: null }], () => Promise.reject(new Error('no'))));
    assert.equal(await ask(1, null, 500), 0);
  });
});
