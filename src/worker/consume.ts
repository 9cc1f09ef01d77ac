import type { Job } from '../domain/job.ts';
import type { IterationCursor } from '../engine/iterate.ts';
import { cursorOf, openJob, resumeJob } from '../engine/open-job.ts';
import { publishJob } from '../ledger/publish-job.ts';
import { endIteration, iterateSafely, type RunContext } from '../ledger/run-context.ts';
import { terminalRow } from '../ledger/terminal-row.ts';
import type { Failure } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { createSemaphore } from '../lib/semaphore.ts';
import type { Consumer, Delivery, QueuePort } from '../queue/port.ts';
import type { JobSettlement } from '../storage/coordination-port.ts';
import type { AttemptOutcome, IterationOutcome } from '../storage/port.ts';
import {
  decideFailure,
  decideSettlement,
  type Settlement,
  settleCancelled,
  settleUndeliverable,
} from './settle.ts';

export interface WorkerOptions {
  queue: QueuePort;
  /** More may be added later. */
  queues: readonly string[];
  workerId: string;
  /** Unacknowledged deliveries of each queue: those that wait, are executed, and have their rows stored. */
  prefetch: number;
  /** Jobs executed at a time, over all queues of this worker. */
  concurrency: number;
  /** Null when the ledger knows no such run: the job is set aside. */
  contextOf(job: Job): RunContext | null | Promise<RunContext | null>;
  /**
   * How the ledger has the job settled, by whichever of its messages came first; null while it is open.
   * @default not asked, since no job has two messages
   */
  settlementOf?: (job: Job) => Promise<JobSettlement | null>;
}

/** A worker that can leave queues alone and take them up again. */
export interface Worker extends Closeable {
  /** Jobs that are executed now. */
  readonly busy: number;
  /** Attempts since its start. */
  readonly attempts: number;
  /** Jobs in hand of each queue: those that wait for a place, are executed, and have their rows stored. */
  readonly held: ReadonlyMap<string, number>;
  /** Leaves these of its queues alone, and consumes all others. */
  setPaused(queues: ReadonlySet<string>): void;
  /** Works off these queues, too. */
  addQueues(queues: readonly string[]): void;
}

/** A job that was handed out so often without being ended is taken for the cause of its workers' deaths. */
const MAX_DELIVERIES = 10;

/** One attempt in the making. */
interface Attempt {
  context: RunContext;
  delivery: Delivery;
  cursor: IterationCursor;
  startedUs: number;
  /** Null when the clocks do not tell. */
  queueWaitUs: number | null;
  workerId: string;
}

/**
 * Consumes jobs until closed; closing waits for those in hand. When the rows of a job cannot be stored, the job is
 * not acknowledged and the worker consumes no more: whoever owns the ledger is told of its fault.
 */
export function createWorker(options: WorkerOptions): Worker {
  const slots = createSemaphore(options.concurrency);
  const closing = new AbortController();
  const consumers = new Map<string, Consumer>();
  const queues = new Set(options.queues);
  let paused: ReadonlySet<string> = new Set();
  let busy = 0;
  let attempts = 0;
  const held = new Map<string, number>();
  const settling = new Map<string, number>();

  const take = async (name: string, delivery: Delivery): Promise<void> => {
    // What has not begun when the worker closes goes back.
    if (!(await slots.acquire(closing.signal))) return delivery.release();
    busy++;
    attempts++;
    let context: RunContext | null = null;
    let settle: Settle;
    try {
      context = await options.contextOf(delivery.job);
      settle = context
        ? await execute(options, context, delivery)
        : () => delivery.setAside(`run ${delivery.job.runId} is not in the ledger`);
    } finally {
      busy--;
      // Before the rows are stored: whoever executes does not wait for the ledger.
      slots.release();
    }
    const isSettled = settle();
    // Its queue gives no more before one of them is settled.
    if (count(settling, name, 1) >= options.prefetch) context?.ledger.hurry();
    try {
      await isSettled;
    } catch (error) {
      if (error !== context?.ledger.fault) throw error;
      void close();
    } finally {
      count(settling, name, -1);
    }
  };

  const open = (name: string): void => {
    const hold = (delivery: Delivery): Promise<void> => {
      count(held, name, 1);
      return take(name, delivery).finally(() => count(held, name, -1));
    };
    consumers.set(name, options.queue.consume(name, { prefetch: options.prefetch }, hold));
  };
  const consumeOpen = (): void => {
    for (const name of queues) {
      const consumer = consumers.get(name);
      if (paused.has(name) && consumer) {
        consumers.delete(name);
        void consumer.close();
      } else if (!paused.has(name) && !consumer && !closing.signal.aborted) open(name);
    }
  };
  const close = async (): Promise<void> => {
    closing.abort();
    await Promise.all([...consumers.values()].map((consumer) => consumer.close()));
  };

  consumeOpen();
  return {
    get busy() {
      return busy;
    },
    get attempts() {
      return attempts;
    },
    held,
    setPaused: (names) => {
      paused = names;
      consumeOpen();
    },
    addQueues: (names) => {
      for (const name of names) queues.add(name);
      consumeOpen();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** @returns the new count */
function count(counts: Map<string, number>, name: string, more: number): number {
  const now = (counts.get(name) ?? 0) + more;
  counts.set(name, now);
  return now;
}

/** Ends a delivery whose job was executed, or is not to be. */
type Settle = () => Promise<void>;

async function execute(options: WorkerOptions, context: RunContext, delivery: Delivery): Promise<Settle> {
  const { clock, recorder, template } = context.environment;
  const { job } = delivery;
  if (delivery.deliveryCount > 0) {
    // Whoever settled it died before the message was off its queue: it is not executed once more.
    const settled = await options.settlementOf?.(job);
    if (settled) return () => endAs(settled, delivery);
  }
  const startedUs = clock.monotonicUs();
  const cursor = cursorOf(job, template, delivery.deliveryCount > 0);
  const waitedUs = clock.epochUs() - job.publishedAtUs;
  const queueWaitUs = waitedUs >= context.clockUncertaintyUs() ? Math.max(0, waitedUs) : null;
  if (queueWaitUs !== null) recorder.record('queue_wait', queueWaitUs, true, 0, job.jobId);
  const attempt: Attempt = { context, delivery, cursor, startedUs, queueWaitUs, workerId: options.workerId };
  const settlement = await settlementAfter(context, attempt);
  return () => apply(options, attempt, settlement);
}

/** Executes the job, unless it is handed out too often or its run is stopped. */
async function settlementAfter(context: RunContext, { cursor, delivery }: Attempt): Promise<Settlement> {
  if (delivery.deliveryCount >= MAX_DELIVERIES) return settleUndeliverable(delivery.deliveryCount);
  if (context.stop.aborted) return settleCancelled();
  const end = await iterateSafely(context, cursor);
  // The wires were cut, though its run is not cancelled: this process is about to end.
  const isCutOff = end.kind === 'failed' && end.failure.code === 'CANCELLED' && !context.stop.aborted;
  return isCutOff ? { action: 'hand_back' } : decideSettlement(end, delivery.job);
}

/** Ends a delivery as its job is settled in the ledger: only a dead job has a dead letter. */
async function endAs(settled: JobSettlement, delivery: Delivery): Promise<void> {
  if (settled.outcome === 'dead') {
    return delivery.deadLetter(delivery.job, settled.error ?? 'its attempts failed');
  }
  return delivery.ack();
}

/** The order keeps the promise: what follows is confirmed, then the rows are stored, then the job is acknowledged. */
async function apply(options: WorkerOptions, attempt: Attempt, settlement: Settlement): Promise<void> {
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
      const published = await publishJob(context, options.queue, next);
      if (!published.ok) return apply(options, attempt, decideFailure(published, settlement.step, job));
      attemptRow(attempt, settlement.outcome, null);
      await context.ledger.flushed();
      return delivery.ack();
    }
    case 'hand_back':
      return delivery.release();
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
      if (settlement.outcome !== 'dead') return delivery.ack();
      // Another message of the job may have come first.
      return endAs(
        (await options.settlementOf?.(job)) ?? { outcome: 'dead', error: settlement.failure.message },
        delivery,
      );
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
    queueWaitUs: attempt.queueWaitUs,
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
    run: context.run,
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
