import type { QueueMode } from '../storage/coordination-port.ts';
import type { QueueDepth, SetAsideMessage } from './port.ts';

export interface QueueStatus extends QueueDepth {
  mode: QueueMode;
  /** Jobs published to it a second; null where it is not known. */
  publishedPerSecond: number | null;
  /** Jobs taken from it for good a second; null where it is not known. */
  acknowledgedPerSecond: number | null;
}

/** Receivers of ours that a bench started for its run, and stopped at its end. */
export interface BenchSinks {
  runId: number;
  /** Null when its endpoints of that type were others. */
  mllpPort: number | null;
  dicomPort: number | null;
}

export interface RequeuedDead {
  requeued: number;
  jobIds: string[];
  runIds: number[];
  /** Of those runs, where they are gone. */
  benchSinks: BenchSinks[];
}

/**
 * What an operator sees of the queues and does to them, with what the ledger has to learn of it. Methods with the name
 * of a queue throw NOT_FOUND when there is none of that name.
 */
export interface QueueAdmin {
  /** The queues of recent runs and of live workers, and the default one; by name. */
  list(): Promise<QueueStatus[]>;
  depth(queue: string): Promise<QueueDepth>;
  /** Newest first. */
  setAsideMessages(queue: string, limit: number): Promise<SetAsideMessage[]>;
  /** @returns the requeued jobs; those that were asked for and are not among the dead letters are missing */
  requeueDead(queue: string, jobIds: readonly string[] | 'all'): Promise<RequeuedDead>;
  /** @throws {YeeterError} QUEUE_COUNT_CHANGED when another number is there */
  purgeDead(queue: string, expected: number): Promise<number>;
  /** Ready and delayed jobs, settled as cancelled. @throws {YeeterError} QUEUE_COUNT_CHANGED */
  purge(queue: string, expected: number): Promise<number>;
  setMode(queue: string, mode: QueueMode): Promise<void>;
}
