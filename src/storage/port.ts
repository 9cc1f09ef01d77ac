import type { Endpoint, EndpointLimits } from '../domain/endpoint.ts';
import type { RunIdentity } from '../domain/identity.ts';
import type { DicomAccounts } from '../domain/job.ts';
import type { RunEvent, RunStatus } from '../domain/run-state.ts';
import type { RegisteredTarget } from '../domain/target-guard.ts';
import type { OnFailure, Template } from '../domain/template.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import type { DepthRow, HealthRow, WindowRow } from '../metrics/series.ts';
import type { RunAccounts, RunTotals } from '../metrics/totals.ts';
import type { HandOff } from './coordination-port.ts';

export type { RunTotals } from '../metrics/totals.ts';

/** Workers store the figures of a second when it is over, or when they are told that their run is: within this time. */
export const SERIES_LAG_MS = 2_500;

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

/**
 * Rows that are written together, in one transaction; but for what was handed off, which may be there before the rest.
 */
export interface LedgerBatch {
  /** Noted once, however often they come. Empty where jobs die with the process. */
  handedOff: readonly HandOff[];
  attempts: readonly AttemptRow[];
  iterations: readonly IterationRow[];
  events: readonly EventRow[];
  windows: readonly WindowRow[];
  health: readonly HealthRow[];
  depths: readonly DepthRow[];
}

/** Rows that were there already and changed nothing but `duplicate_count`. */
export interface LedgerReceipt {
  /** Attempts that were there already, and new ones of a job that was settled already. */
  duplicateAttempts: number;
  duplicateIterations: number;
}

export interface NewRun {
  userId: number | null;
  /** Of the server's templates; null when the template came from a file. */
  templateId: number | null;
  template: Template;
  identity: RunIdentity;
  patientCount: number;
  /** Patients at a time. */
  concurrency: number;
  /**
   * What a patient's place lasts: until it has its end (the closed model: patients under way never exceed the
   * concurrency), or until a queue has its job, so that jobs pile up there and workers scale by them.
   */
  closedModel: boolean;
  onFailure: OnFailure;
  tags: readonly string[];
  /** Every endpoint that the template names, resolved, so that any process can play the run. */
  endpoints: Readonly<Record<string, Endpoint>>;
  /** By endpoint name. */
  limits: Readonly<Record<string, EndpointLimits>>;
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

/** What changes with the status of a run, and on what condition. */
export interface RunChange {
  startedIterations?: number;
  /** Of the claim; an older one is refused with RUN_FENCED. */
  fence?: number;
  /** Refused with RUN_STATE unless so many iterations have their terminal row; dead jobs may have been reopened. */
  finishedIterations?: number;
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
 * Guarantees: a resolved write is durable as the adapter promises (PGlite: handed to the operating system, so it
 * survives the death of the process but not of the machine; PostgreSQL: as configured); attempts are unique on (job, attempt), settlements on job, terminal rows on (run, iteration),
 * windows on (run, series, process, second): the first wins; of the depths of a queue in one second the last wins. Run
 * status changes by `transitionRun` alone.
 */
export interface StoragePort extends Closeable {
  deployment(): Promise<{ id: string; seed: number }>;
  /** First of `count` consecutive namespace blocks that no run of this deployment's seed has had. @throws NAMESPACE_EXHAUSTED */
  claimNamespaces(count: number): Promise<number>;

  createRun(run: NewRun): Promise<RunRecord>;
  /** @throws {YeeterError} RUN_NOT_FOUND */
  getRun(runId: number): Promise<RunRecord>;
  /** Newest first. */
  listRuns(filter: { statuses?: readonly RunStatus[]; limit: number }): Promise<RunRecord[]>;
  /**
   * Applies `nextRunStatus` under a row lock and sets started_at and completed_at; the end of a run ends its lease.
   * @throws {YeeterError} RUN_STATE, RUN_NOT_FOUND, RUN_FENCED
   */
  transitionRun(runId: number, event: RunEvent, change?: RunChange): Promise<RunRecord>;
  /** Marks a run that is not over; one that is stays as it is. @throws {YeeterError} RUN_NOT_FOUND */
  requestCancel(runId: number): Promise<RunRecord>;

  writeLedger(batch: LedgerBatch): Promise<LedgerReceipt>;
  runTotals(runId: number): Promise<RunTotals>;
  /** The part of them that is kept up with the rows: as cheap for a million as for one. @throws {YeeterError} RUN_NOT_FOUND */
  runAccounts(runId: number): Promise<RunAccounts>;
  /** Numbers of iterations that have their terminal row, ascending. */
  finishedIterations(runId: number, page: { after: number; limit: number }): Promise<number[]>;
  countFinished(runId: number): Promise<number>;

  readAttempts(runId: number, page: Page): Promise<StoredAttempt[]>;
  readIterations(runId: number, page: { after: number; limit: number }): Promise<IterationRow[]>;
  readEvents(runId: number, page: Page): Promise<StoredEvent[]>;
  /** Whole seconds: as many as begin within `limit` rows. */
  readWindows(runId: number, page: { afterSecond: number; limit: number }): Promise<WindowRow[]>;
  readHealth(runId: number): Promise<HealthRow[]>;
  readDepths(runId: number): Promise<DepthRow[]>;

  listTargets(): Promise<RegisteredTarget[]>;
  /** Replaces what is registered for the same host and port. */
  registerTarget(target: RegisteredTarget): Promise<void>;
  removeTarget(host: string, port: number): Promise<boolean>;
}
