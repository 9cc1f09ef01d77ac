import type { Job } from '../domain/job.ts';
import type { IterationCursor } from '../engine/iterate.ts';
import { cursorOf, openJob, resumeJob } from '../engine/open-job.ts';
import { publishJob } from '../ledger/publish-job.ts';
import { endIteration, iterateSafely, type RunContext } from '../ledger/run-context.ts';
import { terminalRow } from '../ledger/terminal-row.ts';
import type { Failure } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import type { Delivery, QueuePort } from '../queue/port.ts';
import type { AttemptOutcome, IterationOutcome } from '../storage/port.ts';
import { decideFailure, decideSettlement, type Settlement, settleCancelled } from './settle.ts';

export interface WorkerOptions {
  queue: QueuePort;
  queues: readonly string[];
  workerId: string;
  /** Jobs handled at a time, over all queues of this worker: each queue's prefetch. */
  concurrency: number;
  contextOf(job: Job): RunContext;
}

/** One attempt in the making. */
interface Attempt {
  context: RunContext;
  delivery: Delivery;
  cursor: IterationCursor;
  startedUs: number;
  workerId: string;
}

/**
 * Consumes jobs until closed; closing waits for those in hand. When the rows of a job cannot be stored, the job is
 * not acknowledged and the worker consumes no more: whoever owns the ledger is told of its fault.
 */
export function createWorker(options: WorkerOptions): Closeable {
  const consumers = options.queues.map((name) =>
    options.queue.consume(name, { prefetch: options.concurrency }, async (delivery) => {
      const context = options.contextOf(delivery.job);
      try {
        await handle(options, context, delivery);
      } catch (error) {
        if (error !== context.ledger.fault) throw error;
        void close();
      }
    }),
  );
  const close = async (): Promise<void> => {
    await Promise.all(consumers.map((consumer) => consumer.close()));
  };
  return { close, [Symbol.asyncDispose]: close };
}

async function handle(options: WorkerOptions, context: RunContext, delivery: Delivery): Promise<void> {
  const { clock, recorder, template } = context.environment;
  const { job } = delivery;
  const startedUs = clock.monotonicUs();
  const cursor = cursorOf(job, template);
  const attempt: Attempt = { context, delivery, cursor, startedUs, workerId: options.workerId };
  recorder.record('queue_wait', Math.max(0, clock.epochUs() - job.publishedAtUs), true);
  if (context.stop.aborted) {
    await apply(options.queue, attempt, settleCancelled());
    return;
  }
  const end = await iterateSafely(context, cursor);
  await apply(options.queue, attempt, decideSettlement(end, job));
}

/** The order keeps the promise: what follows is confirmed, then the rows are stored, then the job is acknowledged. */
async function apply(queue: QueuePort, attempt: Attempt, settlement: Settlement): Promise<void> {
  const { context, delivery, cursor } = attempt;
  const { job } = delivery;
  const { clock, template } = context.environment;
  switch (settlement.action) {
    case 'complete':
      attemptRow(attempt, settlement.outcome, null);
      endJobIteration(attempt, settlement.terminal, null, null);
      await context.ledger.flushed();
      return delivery.ack();
    case 'hand_on': {
      const origin = { ...job, template };
      const next = openJob(origin, cursor, settlement.step, clock.epochUs());
      const published = await publishJob(context, queue, next);
      if (!published.ok) return apply(queue, attempt, decideFailure(published, settlement.step, job));
      attemptRow(attempt, settlement.outcome, null);
      await context.ledger.flushed();
      return delivery.ack();
    }
    case 'postpone':
      return delivery.postpone(
        resumeJob(job, cursor, template, clock.epochUs()),
        unlessStopped(context, settlement.delayMs),
      );
    case 'retry': {
      attemptRow(attempt, settlement.outcome, settlement.failure);
      await context.ledger.flushed();
      const delayMs = unlessStopped(context, settlement.delayMs);
      const next = resumeJob(job, cursor, template, clock.epochUs() + delayMs * 1000);
      return delivery.retry({ ...next, attempt: job.attempt + 1 }, delayMs);
    }
    case 'give_up':
      attemptRow(attempt, settlement.outcome, settlement.failure);
      endJobIteration(attempt, settlement.terminal, settlement.step?.stepOrder ?? null, settlement.failure);
      await context.ledger.flushed();
      return settlement.outcome === 'dead'
        ? delivery.deadLetter(job, settlement.failure.message)
        : delivery.ack();
    default:
      return settlement satisfies never;
  }
}

/** A cancelled run does not wait: its job comes back at once and is settled unexecuted. */
function unlessStopped(context: RunContext, delayMs: number): number {
  return context.stop.aborted ? 0 : delayMs;
}

function attemptRow(attempt: Attempt, outcome: AttemptOutcome, why: Failure | null): void {
  const { context, delivery, cursor, startedUs } = attempt;
  const { job } = delivery;
  const { clock, recorder, template } = context.environment;
  const durationUs = clock.monotonicUs() - startedUs;
  recorder.record('job', durationUs, outcome === 'success');
  context.ledger.attempt({
    jobId: job.jobId,
    attempt: job.attempt,
    runId: job.runId,
    queue: job.queue,
    jobType: job.jobType,
    outcome,
    errorCode: why?.code ?? null,
    error: why?.message ?? null,
    durationUs,
    queueWaitUs: Math.max(0, clock.epochUs() - durationUs - job.publishedAtUs),
    stepsExecuted: cursor.executed,
    remainingSteps: template.steps.length - cursor.stepIndex,
    patientIteration: job.iteration,
    repeatIteration: job.repeatsDone,
    workerId: attempt.workerId,
    possiblyRepeated: job.possiblyRepeated || delivery.deliveryCount > 0,
    createdAtMs: clock.nowMs(),
  });
}

function endJobIteration(
  attempt: Attempt,
  outcome: IterationOutcome,
  failedStep: number | null,
  why: Failure | null,
): void {
  const { context, delivery, cursor } = attempt;
  const { job } = delivery;
  const row = terminalRow({
    runId: job.runId,
    iteration: job.iteration,
    outcome,
    failedStep,
    failure: why,
    state: cursor.state,
    intendedStartUs: job.intendedStartUs,
    nowUs: context.environment.clock.epochUs(),
    possiblyRepeated: job.possiblyRepeated || delivery.deliveryCount > 0,
  });
  endIteration(context, row);
}
