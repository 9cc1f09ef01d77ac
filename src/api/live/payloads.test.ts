import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { templateFrom } from '../../../test/support/run.ts';
import type { RunTotals } from '../../storage/port.ts';
import { maxAttemptsOf, runProgress, workerMetricsUpdate } from './payloads.ts';

describe('maxAttemptsOf', () => {
  const step = (attempts: number | null, queue: string, execution = 'async'): string =>
    `  - {step_type: WAIT, execution: ${execution}, queue: ${queue}` +
    `${attempts === null ? '' : `, retry: {max_attempts: ${attempts}}`}, parameters: {duration_seconds: 0}}`;
  const templateOf = (...steps: string[]) => templateFrom(['name: hops', 'steps:', ...steps].join('\n'));
  const hops = templateOf(
    step(null, 'a', 'inline').replace(', queue: a', ''),
    step(2, 'a'),
    step(5, 'b'),
    step(7, 'a'),
  );

  it('is that of the step that opened the job, by its queue and where the attempt stopped', () => {
    const attempt = (queue: string, remainingSteps: number) =>
      maxAttemptsOf(hops, { queue, jobType: null, remainingSteps });
    assert.equal(attempt('a', 3), 2);
    assert.equal(attempt('a', 2), 2);
    assert.equal(attempt('b', 2), 5);
    assert.equal(attempt('b', 1), 5);
    assert.equal(attempt('a', 1), 7);
    assert.equal(attempt('a', 0), 7);
  });

  it('is the default where the step names none, or the template has changed', () => {
    assert.equal(
      maxAttemptsOf(templateOf(step(null, 'a')), { queue: 'a', jobType: null, remainingSteps: 0 }),
      3,
    );
    assert.equal(maxAttemptsOf(hops, { queue: 'gone', jobType: null, remainingSteps: 0 }), 3);
    assert.equal(maxAttemptsOf(hops, { queue: 'a', jobType: 'other', remainingSteps: 0 }), 3);
  });
});

describe('runProgress', () => {
  it('has the workers of its queues and what is left there, which is nothing at the end', () => {
    const counts = {
      runId: 3,
      jobs: 9,
      jobsSucceeded: 1,
      jobsDead: 1,
      attempts: 2,
      attemptDurationSumUs: 3000,
    };
    const totals = { ...counts, queueLastDepth: 7 } as RunTotals;
    const progress = runProgress(totals, false, 4);
    assert.deepEqual([progress.active_workers, progress.remaining_queue_depth], [4, 7]);
    assert.equal(runProgress(totals, true, 4).remaining_queue_depth, 0);
  });
});

describe('workerMetricsUpdate', () => {
  it('has no depth while the broker does not answer', () => {
    const attempts = { count: 0, perSecond: 0, averageMs: null };
    const update = workerMetricsUpdate({ atMs: 0, workers: [], queues: null, activeRuns: [], attempts });
    assert.deepEqual([update.queued_jobs, update.remaining_queue_depth, update.queues], [null, null, []]);
  });
});
