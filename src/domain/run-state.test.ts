import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  isOver,
  isResultOf,
  nextRunStatus,
  RUN_EVENTS,
  RUN_STATUSES,
  type RunEvent,
  type RunStatus,
} from './run-state.ts';

const ALLOWED: readonly [RunStatus, RunEvent, RunStatus][] = [
  ['PENDING', 'start', 'RUNNING'],
  ['PENDING', 'over_failed', 'ERROR'],
  ['PENDING', 'over_cancelled', 'CANCELLED'],
  ['RUNNING', 'runner_ended', 'WAITING_ON_WORKERS'],
  ['RUNNING', 'over_ok', 'COMPLETED'],
  ['RUNNING', 'over_failed', 'ERROR'],
  ['RUNNING', 'over_cancelled', 'CANCELLED'],
  ['RUNNING', 'resume', 'RUNNING'],
  ['WAITING_ON_WORKERS', 'over_ok', 'COMPLETED'],
  ['WAITING_ON_WORKERS', 'over_failed', 'ERROR'],
  ['WAITING_ON_WORKERS', 'over_cancelled', 'CANCELLED'],
  ['WAITING_ON_WORKERS', 'resume', 'RUNNING'],
  ['COMPLETED', 'reopened', 'WAITING_ON_WORKERS'],
  ['ERROR', 'reopened', 'WAITING_ON_WORKERS'],
];

describe('run state', () => {
  it('moves as its table says, and no other way', () => {
    for (const status of RUN_STATUSES) {
      for (const event of RUN_EVENTS) {
        const allowed = ALLOWED.find(([from, by]) => from === status && by === event);
        if (allowed) assert.equal(nextRunStatus(status, event), allowed[2]);
        else assert.throws(() => nextRunStatus(status, event), { code: 'RUN_STATE' });
      }
    }
  });

  it('knows what an event leads to', () => {
    for (const status of RUN_STATUSES)
      for (const event of RUN_EVENTS)
        assert.equal(
          isResultOf(status, event),
          ALLOWED.some(([, by, to]) => by === event && to === status),
        );
  });

  it('is over in the three final states alone', () => {
    assert.deepEqual(RUN_STATUSES.filter(isOver), ['COMPLETED', 'ERROR', 'CANCELLED']);
  });
});
