import type { Job } from '../domain/job.ts';

/** A dead job's second life: attempts are counted on, so that each has a row of its own, and it has as many again. */
export function requeuedJob(job: Job, nowUs: number): Job {
  const attemptsALife = job.attemptsALife ?? job.retry.maxAttempts;
  return {
    ...job,
    attempt: job.attempt + 1,
    attemptsALife,
    retry: { ...job.retry, maxAttempts: job.attempt + attemptsALife },
    publishedAtUs: nowUs,
  };
}
