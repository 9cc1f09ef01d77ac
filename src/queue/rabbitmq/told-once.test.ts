import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { QueueNotice } from './broker-connection.ts';
import { toldOnce } from './told-once.ts';

const lost = (message: string): QueueNotice => ({ kind: 'connection_lost', queue: null, message });
const CONNECTED: QueueNotice = { kind: 'connected', queue: null, message: 'connected again' };

function twoConnections() {
  const told: string[] = [];
  const connection = toldOnce(({ kind, message }) => told.push(kind === 'connection_lost' ? message : kind));
  return { told, one: connection(), other: connection() };
}

describe('notices of two connections to one broker', () => {
  it('are one where both are lost and both come back, each time', () => {
    const { told, one, other } = twoConnections();
    for (let times = 0; times < 2; times++) {
      one(lost('reset'));
      other(lost('reset'));
      one(CONNECTED);
      assert.equal(told.at(-1), 'reset', 'the other is still away');
      other(CONNECTED);
    }
    assert.deepEqual(told, ['reset', 'connected', 'reset', 'connected']);
  });

  it('are told where one alone is lost, and where the reason is another', () => {
    const { told, one, other } = twoConnections();
    one(lost('reset'));
    one(CONNECTED);
    other(lost('reset'));
    other(lost('refused'));
    other(CONNECTED);
    assert.deepEqual(told, ['reset', 'connected', 'reset', 'refused', 'connected']);
  });

  it('are told at once where they are of something else', () => {
    const { told, one, other } = twoConnections();
    one({ kind: 'blocked', queue: null, message: 'm' });
    other({ kind: 'blocked', queue: null, message: 'm' });
    assert.deepEqual(told, ['blocked', 'blocked']);
  });
});
