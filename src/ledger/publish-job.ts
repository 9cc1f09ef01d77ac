import type { Job } from '../domain/job.ts';
import { type Failure, failure, toYeeterError } from '../lib/errors.ts';
import type { QueuePort } from '../queue/port.ts';
import { STEP_OK, type StepOk } from '../steps/step.ts';
import type { RunContext } from './run-context.ts';

/** Publishes and times until the confirm. A publish that fails is a counted failure, never a silent inline run. */
export async function publishJob(context: RunContext, queue: QueuePort, job: Job): Promise<StepOk | Failure> {
  const { clock, recorder } = context.environment;
  const startedUs = clock.monotonicUs();
  try {
    await queue.publish(job);
    recorder.record('queue_publish', clock.monotonicUs() - startedUs, true, 0, job.jobId);
    return STEP_OK;
  } catch (thrown) {
    recorder.record('queue_publish', clock.monotonicUs() - startedUs, false, 0, job.jobId);
    const error = toYeeterError(thrown);
    return failure('QUEUE_PUBLISH_FAILED', error.message, error.retryable);
  }
}
