import type { Job } from '../domain/job.ts';
import type { Closeable } from '../lib/lifecycle.ts';

export interface QueueDepth {
  queue: string;
  ready: number;
  unacknowledged: number;
  consumers: number;
}

/** One job in the hands of a consumer. Exactly one of the five calls ends it. */
export interface Delivery {
  job: Job;
  /** Times the broker has handed this message out before. */
  deliveryCount: number;
  ack(): Promise<void>;
  /** A next attempt after `delayMs`: the copy is confirmed before the original is acknowledged. 0 means at once. */
  retry(job: Job, delayMs: number): Promise<void>;
  /** The rest of the same job after a WAIT; held by the broker, not by a consumer. */
  postpone(job: Job, delayMs: number): Promise<void>;
  /** To the dead letters, with origin, attempts, last error and time. */
  deadLetter(job: Job, reason: string): Promise<void>;
  /** Back to the queue, unstarted. */
  release(): Promise<void>;
}

export interface ConsumeOptions {
  /** Unacknowledged deliveries at a time. @default 32 */
  prefetch: number;
}

export interface Consumer extends Closeable {
  /** Stops deliveries; resolves when no handler is running. */
  close(): Promise<void>;
}

/**
 * Carries jobs. Guarantees: a resolved `publish` is a job that will be delivered at least once, whatever process
 * is killed (the memory adapter: while this process lives); a job is delivered to one consumer at a time; a job
 * that is not ended is delivered again.
 */
export interface QueuePort extends Closeable {
  declare(queues: readonly string[]): Promise<void>;
  /** Resolves on the broker's confirm. @throws {YeeterError} QUEUE_PUBLISH_FAILED */
  publish(job: Job): Promise<void>;
  consume(queue: string, options: ConsumeOptions, handle: (delivery: Delivery) => Promise<void>): Consumer;
  depth(queues: readonly string[]): Promise<QueueDepth[]>;
}
