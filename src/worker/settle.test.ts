import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testJob } from '../../test/support/job.ts';
import { testStep } from '../../test/support/template.ts';
import { failure } from '../lib/errors.ts';
import { decideSettlement, settleCancelled } from './settle.ts';

const step = testStep('WAIT', { durationSeconds: 1 });
const transient = failure('MLLP_TIMEOUT', 'no answer');
const final = failure('DICOM_STORE_FAILED', 'refused');

describe('settling a job', () => {
  it('completes it when all steps are done', () => {
    const settlement = decideSettlement({ kind: 'done' }, testJob());
    assert.deepEqual(settlement, { action: 'complete', outcome: 'success', terminal: 'completed' });
  });

  it('hands it on at a step of another queue', () => {
    const settlement = decideSettlement({ kind: 'hand_off', step }, testJob());
    assert.deepEqual(settlement, { action: 'hand_on', outcome: 'success', step });
  });

  it('postpones it at a wait, without an outcome', () => {
    assert.deepEqual(decideSettlement({ kind: 'wait', delayMs: 1000 }, testJob()), {
      action: 'postpone',
      delayMs: 1000,
    });
  });

  it('retries a transient failure while attempts are left, and gives up after the last', () => {
    const end = { kind: 'failed', step, failure: transient } as const;
    const retry = { maxAttempts: 3, delayMs: 100, backoff: 'exponential', maxDelayMs: 150 } as const;
    assert.deepEqual(decideSettlement(end, testJob({ retry, attempt: 1 })), {
      action: 'retry',
      outcome: 'retried',
      delayMs: 100,
      failure: transient,
    });
    assert.equal((decideSettlement(end, testJob({ retry, attempt: 2 })) as { delayMs: number }).delayMs, 150);
    assert.deepEqual(decideSettlement(end, testJob({ retry, attempt: 3 })), {
      action: 'give_up',
      outcome: 'dead',
      terminal: 'failed',
      failure: transient,
      step,
    });
  });

  it('gives up at once on a failure that no retry mends', () => {
    const settlement = decideSettlement({ kind: 'failed', step, failure: final }, testJob());
    assert.equal(settlement.action, 'give_up');
  });

  it('tells a job that was cut off from one that was never executed', () => {
    const cut = decideSettlement({ kind: 'failed', step, failure: failure('CANCELLED', 'cut') }, testJob());
    assert.equal((cut as { outcome: string }).outcome, 'abandoned');
    assert.equal((settleCancelled() as { outcome: string }).outcome, 'cancelled');
  });
});
