import type { RunIdentity } from '../domain/identity.ts';
import type { DicomAccounts } from '../domain/job.ts';
import type { RunEvent, RunStatus } from '../domain/run-state.ts';
import type { RegisteredTarget } from '../domain/target-guard.ts';
import type { OnFailure, Template } from '../domain/template.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import type { DepthRow, HealthRow, WindowRow } from '../metrics/series.ts';

export const ATTEMPT_OUTCOMES = ['success', 'retried', 'dead', 'cancelled', 'abandoned'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

export const ITERATION_OUTCOMES = ['completed', 'failed', 'cancelled'] as const;
export type IterationOutcome = (typeof ITERATION_OUTCOMES)[number];

export const EVENT_STATUSES = ['INFO', 'SUCCESS', 'FAILURE', 'WARN', 'DEBUG'] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

/** One try of a job. Any outcome but `retried` also settles the job: the first settlement wins. */
export interface AttemptRow {
  jobId: string;
  attempt: number;
  runId: number;
  queue: string;
  jobType: string | null;
  outcome: AttemptOutcome;
  errorCode: string | null;
  error: string | null;
  durationUs: number;
  queueWaitUs: number | null;
  stepsExecuted: number;
  remainingSteps: number;
  patientIteration: number;
  repeatIteration: number;
  workerId: string;
  possiblyRepeated: boolean;
  createdAtMs: number;
}

/** The one row that ends an iteration: the first wins. */
export interface IterationRow {
  runId: number;
  iteration: number;
  outcome: IterationOutcome;
  failedStep: number | null;
  errorCode: string | null;
  error: string | null;
  endedAtMs: number;
  responseUs: number;
  sutUs: number;
  ownUs: number;
  patientId: string | null;
  accessionNumber: string | null;
  studyInstanceUids: readonly string[];
  dicom: DicomAccounts;
  /** Signed 64-bit decimals; see `domain/manifest.ts`. */
  digestLanes: readonly [string, string, string, string];
  possiblyRepeated: boolean;
}

export interface EventRow {
  runId: number;
  timestampMs: number;
  /** 0 for run and patient lines, 999 for run end lines (wire contract). */
  stepOrder: number;
  /** Patient number, 0 for the run. */
  iteration: number;
  status: EventStatus;
  details: string;
}

/** Rows that are written together, in one transaction. */
export interface LedgerBatch {
  attempts: readonly AttemptRow[];
  iterations: readonly IterationRow[];
  events: readonly EventRow[];
  windows: readonly WindowRow[];
  health: readonly HealthRow[];
  depths: readonly DepthRow[];
}

/** Rows that were there already and changed nothing but `duplicate_count`. */
export interface LedgerReceipt {
  duplicateAttempts: number;
  duplicateIterations: number;
}

export interface NewRun {
  userId: number | null;
  template: Template;
  identity: RunIdentity;
  patientCount: number;
  concurrency: number;
  onFailure: OnFailure;
  tags: readonly string[];
}

export interface RunRecord extends NewRun {
  id: number;
  status: RunStatus;
  createdAtMs: number;
  updatedAtMs: number;
  startedAtMs: number | null;
  completedAtMs: number | null;
  /** Iterations started; final once the runner has ended. */
  startedIterations: number;
  cancelRequested: boolean;
}

export interface SeriesTotals {
  series: string;
  okCount: number;
  okSumUs: number;
  okMinUs: number | null;
  okMaxUs: number | null;
  failedCount: number;
  failedSumUs: number;
  failedMinUs: number | null;
  failedMaxUs: number | null;
  bytes: number;
  /** Merged histograms, V2 compressed, base64. */
  okHistogram: string | null;
  failedHistogram: string | null;
  firstSecond: number;
  lastSecond: number;
}

/** Derived from the ledger's rows, so that they agree with them whatever was killed. */
export interface RunTotals {
  runId: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Settled jobs, once each. */
  jobs: number;
  jobsSucceeded: number;
  jobsDead: number;
  attempts: number;
  attemptsSucceeded: number;
  attemptDurationSumUs: number;
  attemptDurationMinUs: number | null;
  attemptDurationMaxUs: number | null;
  duplicates: number;
  possiblyRepeated: number;
  sutUs: number;
  ownUs: number;
  dicom: DicomAccounts;
  queueMaxDepth: number | null;
  queueLastDepth: number | null;
  manifestSha256: string;
  /** Distinct failures, most frequent first, at most 20. */
  failures: readonly { code: string; message: string; count: number; failedStep: number | null }[];
  series: readonly SeriesTotals[];
}

export interface Page {
  /** Exclusive; 0 starts. */
  afterId: number;
  limit: number;
}

export interface StoredAttempt extends AttemptRow {
  id: number;
}

export interface StoredEvent extends EventRow {
  id: number;
}

/**
 * The ledger. Methods are units of work with cloneable arguments, so that an adapter may live in another thread.
 * Guarantees: a resolved write is durable as the adapter promises (PGlite: flushed to its folder; PostgreSQL: as
 * configured); attempts are unique on (job, attempt), settlements on job, terminal rows on (run, iteration),
 * windows on (run, series, process, second): the first wins. Run status changes by `transitionRun` alone.
 */
export interface StoragePort extends Closeable {
  deployment(): Promise<{ id: string; seed: number }>;
  /** First of `count` consecutive namespace blocks that no run of this deployment's seed has had. @throws NAMESPACE_EXHAUSTED */
  claimNamespaces(count: number): Promise<number>;

  createRun(run: NewRun): Promise<RunRecord>;
  /** @throws {YeeterError} RUN_NOT_FOUND */
  getRun(runId: number): Promise<RunRecord>;
  listRuns(filter: { statuses?: readonly RunStatus[]; limit: number }): Promise<RunRecord[]>;
  /** Applies `nextRunStatus` under a row lock and sets started_at and completed_at. @throws {YeeterError} RUN_STATE */
  transitionRun(runId: number, event: RunEvent, change?: { startedIterations?: number }): Promise<RunRecord>;
  requestCancel(runId: number): Promise<RunRecord>;

  writeLedger(batch: LedgerBatch): Promise<LedgerReceipt>;
  runTotals(runId: number): Promise<RunTotals>;
  /** Numbers of iterations that have their terminal row, ascending. */
  finishedIterations(runId: number, page: { after: number; limit: number }): Promise<number[]>;
  countFinished(runId: number): Promise<number>;

  readAttempts(runId: number, page: Page): Promise<StoredAttempt[]>;
  readIterations(runId: number, page: { after: number; limit: number }): Promise<IterationRow[]>;
  readEvents(runId: number, page: Page): Promise<StoredEvent[]>;
  readWindows(runId: number, page: { afterSecond: number; limit: number }): Promise<WindowRow[]>;
  readHealth(runId: number): Promise<HealthRow[]>;
  readDepths(runId: number): Promise<DepthRow[]>;

  listTargets(): Promise<RegisteredTarget[]>;
  registerTarget(target: RegisteredTarget): Promise<void>;
  removeTarget(host: string, port: number): Promise<boolean>;
}
