import { JOB_SCHEMA_VERSION, type Job } from '../domain/job.ts';
import { jobIdOf } from '../domain/job-id.ts';
import { DEFAULT_RETRY, type Step, type Template } from '../domain/template.ts';
import type { IterationCursor } from './iterate.ts';

export interface JobOrigin {
  deploymentId: string;
  runId: number;
  template: Template;
  /** Segment of the job that hands on; 0 when the runner does. */
  segment: number;
  intendedStartUs: number;
  possiblyRepeated: boolean;
}

/** The job that `step` opens. A repeat of the iteration opens the same job. */
export function openJob(origin: JobOrigin, cursor: IterationCursor, step: Step, nowUs: number): Job {
  const { deploymentId, runId } = origin;
  const key = { deploymentId, runId, iteration: cursor.iteration, segment: origin.segment + 1 };
  return {
    schemaVersion: JOB_SCHEMA_VERSION,
    ...key,
    jobId: jobIdOf(key),
    queue: step.queue,
    jobType: step.jobType,
    metadata: step.metadata,
    retry: step.retry ?? DEFAULT_RETRY,
    attempt: 1,
    remainingSteps: origin.template.steps.slice(cursor.stepIndex).map((rest) => rest.stepOrder),
    repeatsDone: cursor.repeatsDone,
    state: cursor.state,
    intendedStartUs: origin.intendedStartUs,
    publishedAtUs: nowUs,
    possiblyRepeated: origin.possiblyRepeated,
  };
}

/** Where a job's attempt begins. */
export function cursorOf(job: Job, template: Template, isRedelivered: boolean): IterationCursor {
  const stepIndex = template.steps.findIndex((step) => step.stepOrder === job.remainingSteps[0]);
  return {
    iteration: job.iteration,
    state: job.state,
    stepIndex: stepIndex === -1 ? template.steps.length : stepIndex,
    repeatsDone: job.repeatsDone,
    queue: job.queue,
    executed: 0,
    // A dead job that was requeued begins where its last attempt began.
    mayRepeat: isRedelivered || job.possiblyRepeated || job.attempt > 1,
  };
}

/** The same job, to be gone on with where `cursor` stands. */
export function resumeJob(job: Job, cursor: IterationCursor, template: Template, nowUs: number): Job {
  return {
    ...job,
    remainingSteps: template.steps.slice(cursor.stepIndex).map((rest) => rest.stepOrder),
    repeatsDone: cursor.repeatsDone,
    state: cursor.state,
    publishedAtUs: nowUs,
  };
}
