import type { Step } from './template.ts';

interface OpenedJob {
  queue: string;
  jobType: string | null;
  /** Order of the last step that was tried. */
  lastStep: number;
}

/** The step that opened a job: the last async one, up to where the job came, of its queue and type. */
export function openingStep(
  steps: readonly Step[],
  { queue, jobType, lastStep }: OpenedJob,
): Step | undefined {
  return steps.findLast(
    (step) =>
      step.execution === 'async' &&
      step.queue === queue &&
      step.jobType === jobType &&
      step.stepOrder <= lastStep,
  );
}
