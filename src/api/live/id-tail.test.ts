import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createIdTail } from './id-tail.ts';

describe('id tail', () => {
  it('takes each id once, in whatever order and however often it is read', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 })), (ids) => {
        const tail = createIdTail(0, { now: () => 0 });
        const taken = ids.filter((id) => tail.take(id));
        assert.deepEqual(taken, [...new Set(ids)]);
        assert.equal(tail.newest, Math.max(0, ...ids));
      }),
    );
  });

  it('looks for late rows where ids are missing, and nowhere else', () => {
    const tail = createIdTail(10, { now: () => 0 });
    assert.equal(tail.lateAfter, null);
    for (const id of [11, 12]) tail.take(id);
    assert.deepEqual([tail.newest, tail.lateAfter], [12, null]);
    tail.take(15);
    assert.deepEqual([tail.newest, tail.lateAfter], [15, 12]);
    assert.equal(tail.take(13), true);
    assert.equal(tail.lateAfter, 13);
    assert.equal(tail.take(14), true);
    assert.equal(tail.lateAfter, null);
    assert.equal(tail.take(14), false);
  });

  it('waits for a missing id as long as it is told to', () => {
    let nowMs = 0;
    const tail = createIdTail(0, { now: () => nowMs, waitMs: 100 });
    tail.take(5);
    nowMs = 60;
    tail.take(9);
    tail.giveUp();
    assert.equal(tail.lateAfter, 0);
    nowMs = 110;
    tail.giveUp();
    assert.equal(tail.lateAfter, 5);
    assert.equal(tail.take(3), false);
    assert.equal(tail.take(7), true);
    nowMs = 300;
    tail.giveUp();
    assert.equal(tail.lateAfter, null);
    assert.equal(tail.newest, 9);
  });

  it('keeps no more ids than it is told to', () => {
    const tail = createIdTail(0, { now: () => 0, maxKept: 10 });
    for (let id = 2; id <= 200; id += 2) assert.equal(tail.take(id), true);
    assert.ok(tail.lateAfter! >= 178);
    assert.equal(tail.take(3), false);
    assert.equal(tail.take(199), true);
  });
});
