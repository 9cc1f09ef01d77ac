import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { StoredWorker } from '../../storage/coordination-port.ts';
import { workerToWire } from './worker-wire.ts';

const SEEN_AT_MS = Date.UTC(2026, 0, 5);
const WORKER: StoredWorker = {
  ...{ workerId: 'w', host: 'h', pid: 1, version: '0', queues: ['q'], concurrency: 8, busy: 1, jobs: 2 },
  state: 'working',
  ...{ held: {}, startedAtMs: SEEN_AT_MS, lastSeenAtMs: SEEN_AT_MS },
};

it('a worker is silent once its second heartbeat is overdue', () => {
  const after = (ms: number) => {
    const { state, heartbeat_age_seconds: age } = workerToWire(WORKER, SEEN_AT_MS + ms);
    return [state, age];
  };
  assert.deepEqual(after(0), ['working', 0]);
  assert.deepEqual(after(-40), ['working', 0], 'the clock of the ledger is known to some milliseconds');
  assert.deepEqual(after(4_940), ['working', 4.9]);
  assert.deepEqual(after(6_000), ['silent', 6]);
});
