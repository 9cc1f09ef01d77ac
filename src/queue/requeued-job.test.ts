import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testJob } from '../../test/support/job.ts';
import { requeuedJob } from './requeued-job.ts';

it('each life of a job has the attempts of its policy', () => {
  let job = testJob({ retry: { ...testJob().retry, maxAttempts: 2 }, attempt: 2 });
  const lives: number[][] = [];
  for (let life = 2; life <= 4; life++) {
    job = requeuedJob(job, 0);
    lives.push([job.attempt, job.retry.maxAttempts]);
    job = { ...job, attempt: job.retry.maxAttempts };
  }
  assert.deepEqual(lives, [
    [3, 4],
    [5, 6],
    [7, 8],
  ]);
});
