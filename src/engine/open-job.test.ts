import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testJob } from '../../test/support/job.ts';
import { testStep, testTemplate } from '../../test/support/template.ts';
import type { StepOf } from '../domain/template.ts';
import { cursorOf, openJob, resumeJob } from './open-job.ts';

describe('a job', () => {
  it('carries the metadata of the step that opened it, also when it is gone on with', () => {
    const metadata = { priority: 'high' };
    const wait = (change: Partial<StepOf<'WAIT'>>) => testStep('WAIT', { durationSeconds: 0 }, change);
    const template = testTemplate([
      wait({ execution: 'async', metadata }),
      wait({ metadata: { of: 'none' } }),
    ]);
    const origin = {
      deploymentId: 'test',
      runId: 1,
      template,
      segment: 0,
      intendedStartUs: 0,
      possiblyRepeated: false,
    };
    const job = openJob(origin, cursorOf(testJob(), template, false), template.steps[0]!, 0);
    assert.deepEqual(job.metadata, metadata);
    const later = cursorOf({ ...job, remainingSteps: [2] }, template, false);
    assert.deepEqual(resumeJob(job, later, template, 1).metadata, metadata);
  });
});
