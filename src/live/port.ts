import type { Closeable } from '../lib/lifecycle.ts';

/** A job whose publish was confirmed. */
export interface QueuedJob {
  jobId: string;
  queue: string;
  patientIteration: number;
  repeatIteration: number;
}

/**
 * A small fact that processes tell each other: what changed, not what it is now. Whoever wants to know reads the
 * ledger, so that a fact may be lost or come twice and nobody shows anything wrong.
 */
export type LiveFact =
  /** Rows or the status of a run. `queued` are the newest jobs that were queued, since the ledger has no order of them. */
  | { kind: 'run'; runId: number; queued?: readonly QueuedJob[] }
  /** A new run waits for a runner. */
  | { kind: 'run_created'; runId: number }
  /** A run is over: what is still to be stored of it is stored now. */
  | { kind: 'run_over'; runId: number }
  | { kind: 'listener'; status: 'running' | 'stopped' | 'error'; port: number | null; message: string | null }
  | { kind: 'listener_message'; id: number };

export interface LivePort extends Closeable {
  /** Never waits and never throws. Facts of one run are told at most ten times a second, the last one always. */
  publish(fact: LiveFact): void;
  /** Facts of all processes, this one included. @returns what ends it */
  subscribe(listener: (fact: LiveFact) => void): () => void;
}
