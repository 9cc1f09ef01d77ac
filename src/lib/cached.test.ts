import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCached } from './cached.ts';

describe('createCached', () => {
  it('asks once for all who want the answer at a time, and again when it is old', async () => {
    let nowMs = 0;
    let asked = 0;
    const answer = createCached(async () => ++asked, { ttlMs: 1000, now: () => nowMs });
    assert.deepEqual(await Promise.all([answer(), answer(), answer()]), [1, 1, 1]);
    nowMs = 999;
    assert.equal(await answer(), 1);
    nowMs = 1000;
    assert.equal(await answer(), 2);
  });

  it('keeps an answer that took long for longer', async () => {
    let nowMs = 0;
    let asked = 0;
    const ask = async (): Promise<number> => {
      nowMs += 500;
      return ++asked;
    };
    const answer = createCached(ask, { ttlMs: 1000, share: 0.1, now: () => nowMs });
    await answer();
    nowMs = 4999;
    assert.equal(await answer(), 1);
    nowMs = 5000;
    assert.equal(await answer(), 2);
  });

  it('does not keep a failure', async () => {
    let asked = 0;
    const ask = async (): Promise<number> => {
      asked++;
      if (asked === 1) throw new Error('not now');
      return asked;
    };
    const answer = createCached(ask, { ttlMs: 1000, now: () => 0 });
    await assert.rejects(answer(), /not now/);
    assert.equal(await answer(), 2);
  });
});
