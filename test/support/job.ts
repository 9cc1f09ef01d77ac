import { JOB_SCHEMA_VERSION, type Job } from '../../src/domain/job.ts';
import type { RunContext } from '../../src/steps/cues/run-context.ts';
import { startState } from '../../src/steps/start-state.ts';
import { testTemplate } from './template.ts';

export const TEST_IDENTITY = { seed: 7, namespace: 0, clockStartMs: Date.UTC(2026, 0, 5, 7), uidRoot: null };

/** A job as a runner would publish it, for tests that only carry it about. */
export function testJob(change: Partial<Job> = {}): Job {
  return {
    schemaVersion: JOB_SCHEMA_VERSION,
    deploymentId: 'test',
    jobId: `job-${change.iteration ?? 1}`,
    runId: 1,
    iteration: 1,
    segment: 1,
    queue: 'q',
    jobType: null,
    metadata: {},
    retry: { maxAttempts: 3, delayMs: 5000, backoff: 'fixed', maxDelayMs: 60_000 },
    attempt: 1,
    remainingSteps: [1],
    repeatsDone: 0,
    state: startState(testTemplate([]), TEST_IDENTITY, change.iteration ?? 1),
    intendedStartUs: 0,
    publishedAtUs: 0,
    possiblyRepeated: false,
    ...change,
  };
}

/** Where a message of a run that has come to nothing yet is rendered. */
export function testRunContext(iteration: number): RunContext {
  return {
    seed: TEST_IDENTITY.seed,
    namespace: TEST_IDENTITY.namespace,
    templateName: 'test',
    iteration,
    repetition: 0,
    state: { orderContext: null, worklistItem: null, message: null, performedStep: null },
  };
}
