import type { Job } from '../domain/job.ts';
import type { Closeable } from '../lib/lifecycle.ts';

export interface QueueDepth {
  queue: string;
  /** Due, and in no consumer's hands. */
  ready: number;
  /** In the hands of consumers. */
  unacknowledged: number;
  consumers: number;
  /** Waiting for their time: retries and the rest of jobs after a WAIT. */
  delayed: number;
  /** Dead letters. */
  dead: number;
}

/** Over the last seconds. */
export interface MessageRates {
  publishedPerSecond: number;
  acknowledgedPerSecond: number;
}

/**
 * One job in the hands of a consumer. Exactly one of the six calls ends it. A call that comes too late, because
 * the connection to the broker was lost meanwhile, resolves without effect: the job is delivered again, with a
 * higher `deliveryCount`.
 */
export interface Delivery {
  job: Job;
  /** Times that this message may have been handed out before; above 0, its effects may be a repetition. */
  deliveryCount: number;
  /** Times that the job was taken back from the dead letters. */
  requeues: number;
  ack(): Promise<void>;
  /** A next attempt after `delayMs`: the copy is confirmed before the original is acknowledged. 0 means at once. */
  retry(job: Job, delayMs: number): Promise<void>;
  /** The rest of the same job after a WAIT; held by the broker, not by a consumer. */
  postpone(job: Job, delayMs: number): Promise<void>;
  /** To the dead letters, with origin, attempts, last error and time. */
  deadLetter(job: Job, reason: string): Promise<void>;
  /** To the dead letters, as something that no worker of this deployment can execute. */
  setAside(reason: string): Promise<void>;
  /** Back to the queue, unstarted. */
  release(): Promise<void>;
}

export interface ConsumeOptions {
  /** Unacknowledged deliveries at a time. @default 32 */
  prefetch: number;
}

export interface Consumer extends Closeable {
  /** Stops deliveries, hands back what has not started; resolves when no handler is running. */
  close(): Promise<void>;
}

/**
 * Carries jobs. Guarantees: a resolved `publish` is a job that will be delivered at least once, whatever process
 * is killed (the memory adapter: while this process lives); a job is delivered to one consumer at a time; a job
 * that is not ended is delivered again. What is on a queue and is no job of this deployment reaches no handler.
 */
export interface QueuePort extends Closeable {
  declare(queues: readonly string[]): Promise<void>;
  /** Resolves on the broker's confirm. @throws {YeeterError} QUEUE_PUBLISH_FAILED */
  publish(job: Job): Promise<void>;
  /** A handler that ends its delivery in no way, or throws, gives it back. */
  consume(queue: string, options: ConsumeOptions, handle: (delivery: Delivery) => Promise<void>): Consumer;
  depth(queues: readonly string[]): Promise<QueueDepth[]>;
}

export interface RequeueSelection {
  jobIds: readonly string[] | 'all';
  /** Dead letters taken at most. @default 10000 */
  limit?: number;
  /**
   * Awaited with each batch of selected jobs, as they died, before it is published: whoever settles them afterwards
   * must find them open. When it rejects, they stay dead letters and the request fails.
   */
  beforePublish?: (jobs: readonly Job[]) => Promise<unknown>;
}

/** A message among the dead letters that is no job of this deployment. */
export interface SetAsideMessage {
  /** As its publisher called it; null when it has no name. */
  messageId: string | null;
  reason: string;
  /** Null when it was not set aside by a worker. */
  setAsideAtMs: number | null;
  /** Of its body. */
  bytes: number;
}

/**
 * What an operator does to a queue. To look at messages is to take them in hand for a moment, so dead jobs are listed
 * by the ledger, and here only what the ledger does not know.
 */
export interface QueueMaintenance {
  /** Whether the queue has been declared. */
  exists(queue: string): Promise<boolean>;
  /** Newest first; last those that no worker set aside. */
  setAsideMessages(queue: string, limit: number): Promise<SetAsideMessage[]>;
  /**
   * Publishes dead letters to the queue that they came from, as `requeuedJob` has them, and removes them once that
   * is confirmed. Those that are not selected, and what was set aside, stay.
   */
  requeueDead(queue: string, selection: RequeueSelection): Promise<{ requeued: number; jobs: Job[] }>;
  /**
   * Looks through the dead letters for jobs that the broker set aside by itself, having handed them out too often
   * without any consumer ending them: nobody has settled those. They are marked once `settle` has resolved for
   * them, and stay. Returns their number.
   */
  reconcileDead(queue: string, settle: (jobs: readonly Job[]) => Promise<unknown>): Promise<number>;
  /**
   * Removes a run's jobs that would come to no worker soon: those that wait for their time, and, where nobody consumes
   * the queue, those that are ready. Each is acknowledged after `settle` has resolved for it. Returns their number.
   */
  withdraw(queue: string, runId: number, settle: (jobs: readonly Job[]) => Promise<unknown>): Promise<number>;
  /** Removes all dead letters; returns their number. */
  purgeDead(queue: string): Promise<number>;
  /**
   * Removes the jobs that are ready or delayed, in batches: each is acknowledged after `settle` has resolved for it.
   * @param expected what `depth` said, ready and delayed together
   * @throws {YeeterError} QUEUE_COUNT_CHANGED when another number is there
   */
  purge(queue: string, expected: number, settle: (jobs: readonly Job[]) => Promise<unknown>): Promise<number>;
}
