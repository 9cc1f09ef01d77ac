import type { MessagePort } from 'node:worker_threads';
import type { Endpoint, EndpointLimits } from '../domain/endpoint.ts';

/** What the engine's thread is started with. */
export interface EngineInput {
  runId: number;
  deploymentId: string;
  /** To the storage thread. */
  storagePort: MessagePort;
  /** Every endpoint that the template names, resolved. */
  endpoints: Readonly<Record<string, Endpoint>>;
  /** By endpoint name. */
  limits: Readonly<Record<string, EndpointLimits>>;
  resumed: boolean;
  studyDir: string | null;
}

export interface EngineProgress {
  started: number;
  completed: number;
  failed: number;
  cancelled: number;
  inFlight: number;
  /** Messages accepted. */
  orders: number;
  /** Instances stored. */
  instances: number;
  /** Bytes of data sets stored. */
  bytes: number;
}

export interface EngineMemory {
  heapUsedBytes: number;
  externalBytes: number;
}

export type EngineMessage =
  /** Before the run begins. */
  | { type: 'drawing'; drawn: number; underWay: number }
  | { type: 'progress'; progress: EngineProgress; memory: EngineMemory }
  | {
      type: 'ended';
      progress: EngineProgress;
      memory: EngineMemory;
      fault: { code: string; message: string } | null;
    };

/** `stop` starts nothing more; what is in flight has the grace period, then the wires are cut. */
export type EngineCommand = { type: 'stop' };
