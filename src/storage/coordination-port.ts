import type { EndpointShare } from '../domain/endpoint-share.ts';
import type { Job } from '../domain/job.ts';
import type { ByteAsk, EndpointAsk } from './endpoint-shares.ts';
import type { AttemptOutcome, RunRecord, StoragePort } from './port.ts';

/** An iteration whose first job's publish was confirmed: known to be on its way even when its runner dies. */
export interface HandOff {
  runId: number;
  iteration: number;
}

/** A run in the hands of one runner. Writes that carry an older fence are refused. */
export interface RunClaim {
  run: RunRecord;
  fence: number;
  /** Another runner had it before: what was under way then may be repeated. */
  resumed: boolean;
}

export const QUEUE_MODES = ['open', 'paused', 'draining'] as const;
/** `paused`: nothing is consumed. `draining`: what is there is consumed, and runs publish nothing new to it. */
export type QueueMode = (typeof QUEUE_MODES)[number];

/** What processes have to know of each other, asked for every 500 ms. */
export interface ControlState {
  /** Runs that are not over and were asked to stop. */
  cancelledRuns: readonly number[];
  /** Queues that are not `open`. */
  queueModes: Readonly<Record<string, Exclude<QueueMode, 'open'>>>;
  /** Queues that the async steps of runs name which are not over. */
  activeQueues: readonly string[];
}

export const WORKER_STATES = ['starting', 'working', 'stopping', 'stopped'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

export interface WorkerHeartbeat {
  workerId: string;
  host: string;
  pid: number;
  version: string;
  queues: readonly string[];
  concurrency: number;
  /** Jobs in hand. */
  busy: number;
  /** Attempts since its start. */
  jobs: number;
  state: WorkerState;
  /** Jobs that it has from each queue: those that wait for a place, are executed, and have their rows stored. */
  held: Readonly<Record<string, number>>;
  startedAtMs: number;
}

export interface StoredWorker extends WorkerHeartbeat {
  lastSeenAtMs: number;
}

/** A job whose attempts are used up, as the ledger has it. */
export interface DeadJob {
  jobId: string;
  runId: number;
  iteration: number;
  queue: string;
  jobType: string | null;
  attempts: number;
  failedStep: number | null;
  errorCode: string;
  error: string;
  diedAtMs: number;
  /** Times that it was requeued before; above 0 it is a repeat offender. */
  requeues: number;
  /** Of the step that opened it. */
  metadata: Readonly<Record<string, unknown>>;
}

/** How a job was settled. */
export interface JobSettlement {
  outcome: Exclude<AttemptOutcome, 'retried'>;
  /** Of the attempt that settled it. */
  error: string | null;
}

export interface RunCounts {
  completed: number;
  failed: number;
  cancelled: number;
}

/** How far a run is, and what its wires have carried so far. */
export interface RunProgress extends RunCounts {
  /** Iterations; the runner says so once a second. */
  started: number;
  /** Messages accepted. */
  orders: number;
  /** Instances stored, and the bytes of their data sets. */
  instances: number;
  bytes: number;
}

/** What several processes on one ledger need of it; the PostgreSQL shapes. */
export interface CoordinationPort extends StoragePort {
  /**
   * Takes the oldest run that is PENDING, or that is not over and whose lease has expired (SKIP LOCKED), and leases
   * it for `leaseMs`. Null when there is none.
   */
  claimRun(runnerId: string, leaseMs: number): Promise<RunClaim | null>;
  /** @returns false when another runner has taken the run */
  renewLease(runId: number, fence: number, leaseMs: number): Promise<boolean>;
  /** Gives the run back, so that another runner may take it at once. */
  releaseLease(runId: number, fence: number): Promise<void>;
  /** For a store that no other process has: whoever held a lease is gone, and its runs may be claimed at once. */
  forgetLeases(): Promise<void>;
  /** Persists how many iterations were started; refused (false) when the fence is old. */
  setStarted(runId: number, fence: number, startedIterations: number): Promise<boolean>;
  /** Terminal rows by outcome, from counters that change with them: cheap at any size. */
  runCounts(runId: number): Promise<RunCounts>;
  /**
   * For somebody who watches: of totals, only what counters and windows tell; its rows are not looked at.
   *
   * @throws {YeeterError} RUN_NOT_FOUND
   */
  runProgress(runId: number): Promise<RunProgress>;
  /**
   * Iterations that were handed off and have no terminal row, ascending. Whoever also asks for those that have ended
   * asks for these first: while workers go on, an iteration leaves this list for that one.
   */
  handedOffIterations(runId: number, page: { after: number; limit: number }): Promise<number[]>;

  /**
   * Asks for a share of an endpoint's limits, which hold for all processes and runs together; to be asked again before
   * it lapses, and whenever more or less is wanted.
   */
  shareEndpoint(ask: EndpointAsk): Promise<EndpointShare>;
  leaveEndpoint(address: string, holder: string): Promise<void>;
  /** Takes of a run's byte budget. What a broken connection took twice is not given back. @returns 0 when too few are left */
  takeBytes(ask: ByteAsk): Promise<number>;
  giveBytesBack(runId: number, address: string, bytes: number): Promise<void>;

  control(): Promise<ControlState>;
  setQueueMode(queue: string, mode: QueueMode): Promise<void>;
  /** Whether a step of a stored template is async on this queue. */
  isNamedByTemplate(queue: string): Promise<boolean>;

  /** @returns the database's wall clock, milliseconds since the epoch, with microseconds as a fraction */
  heartbeat(worker: WorkerHeartbeat): Promise<number>;
  listWorkers(filter: { seenSinceMs: number }): Promise<StoredWorker[]>;
  /** Jobs of each queue that the workers which were heard of in the last 15 s said to have; without those that have none. */
  heldJobs(): Promise<Readonly<Record<string, number>>>;

  /** Null while the job is open, and when it is not known. */
  settlementOf(runId: number, jobId: string): Promise<JobSettlement | null>;
  /** Newest first. */
  deadJobs(filter: { queue?: string; runId?: number; limit: number }): Promise<DeadJob[]>;
  /**
   * Undoes what their deaths settled, in one transaction: the settlement, the terminal row of the iteration and the
   * counts; a run that was over waits on its workers again, and any runner may claim it. Called before the jobs are published
   * again; what is not dead stays as it is, so that it may be called again. @throws RUN_STATE when a run was cancelled
   */
  reopenJobs(jobs: readonly Pick<Job, 'jobId' | 'runId' | 'iteration'>[]): Promise<void>;
}
