import type { MessagePort } from 'node:worker_threads';
import type { QueueAdmin } from '../queue/admin-port.ts';

/** What the thread that plays all runs of the embedded shape is started with. */
export interface EngineHostInput {
  /** To the storage thread. */
  storagePort: MessagePort;
  /** Facts of other threads, and ours to them. */
  livePort: MessagePort;
  /** Calls of `EngineHostMethods`. */
  callsPort: MessagePort;
  deploymentId: string;
  /** The queue of templates that name none. */
  defaultQueue: string;
  /** Workers at the start. */
  workers: number;
  /** Jobs that each handles at a time. */
  concurrency: number;
  /** Unacknowledged deliveries of each queue of a worker. */
  prefetch: number;
  /** How long a worker that stops may finish what it has begun, milliseconds. */
  graceMs: number;
  studyDir: string | null;
  /** Rows as lines of JSON on standard output. */
  metricLog: boolean;
}

export type EngineHostMethods = {
  [K in keyof QueueAdmin]: QueueAdmin[K];
} & {
  replicas(): Promise<number>;
  scale(replicas: number): Promise<void>;
  /** Gives back the runs, so that they go on at the next start, and ends the workers. */
  stop(): Promise<void>;
};

export const ENGINE_HOST_METHODS = [
  'list',
  'depth',
  'setAsideMessages',
  'requeueDead',
  'purgeDead',
  'purge',
  'setMode',
  'replicas',
  'scale',
  'stop',
] as const satisfies readonly (keyof EngineHostMethods)[];

/** The thread's own messages to its owner; calls have a port of their own. */
export type EngineHostMessage = { type: 'ready' } | { type: 'log'; line: string };
