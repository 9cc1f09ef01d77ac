import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isQueueName } from '../lib/queue-name.ts';
import {
  DELAY_RUNGS_MS,
  deadLetterDeclaration,
  deadLetterQueue,
  delayDeclaration,
  delayQueue,
  rungFor,
  workDeclaration,
} from './topology.ts';

describe('queue topology', () => {
  it('says for every queue that it is a quorum queue', () => {
    const all = [workDeclaration('q', 10), deadLetterDeclaration('q'), delayDeclaration('q', 100)];
    for (const one of all) assert.equal(one.arguments['x-queue-type'], 'quorum');
    assert.deepEqual(
      all.map(({ queue }) => queue),
      ['q', 'q.dlq', 'q.delay.100'],
    );
  });

  it('has names that the broker takes for the longest name of a queue', () => {
    const queue = 'x'.repeat(200);
    assert.equal(isQueueName(queue), true);
    assert.equal(isQueueName(`${queue}x`), false);
    const beside = [deadLetterQueue(queue), ...DELAY_RUNGS_MS.map((rungMs) => delayQueue(queue, rungMs))];
    for (const name of beside) assert.ok(Buffer.byteLength(name) <= 255, name);
  });

  it('doubles the rungs from 100 ms', () => {
    assert.equal(DELAY_RUNGS_MS[0], 100);
    for (const [n, rung] of DELAY_RUNGS_MS.entries()) assert.equal(rung, 100 * 2 ** n);
  });

  it('puts a message on the longest rung that is not too long', () => {
    const table: [remainingMs: number, rungMs: number][] = [
      [1, 100],
      [100, 100],
      [199, 100],
      [200, 200],
      [5000, 3200],
      [204_800, 204_800],
      [30 * 60_000, 204_800],
    ];
    for (const [remaining, rung] of table) assert.equal(rungFor(remaining), rung, `${remaining} ms`);
  });
});
