import type { ErrorCode } from '../lib/errors.ts';
import type { DigestSum } from './manifest.ts';
import { laterWins, type Order, type OrderContext } from './order.ts';
import type { Patient } from './patient.ts';
import type { StudySpec } from './study-spec.ts';
import type { MppsStatus, RetryPolicy } from './template.ts';

/** Version of the job message; the one before is still accepted. 4 leaves out what is usual; see `encodeJob`. */
export const JOB_SCHEMA_VERSION = 4;

/** What an iteration has produced so far; carried from process to process. */
export interface IterationState {
  patient: Patient;
  order: Order;
  /** The last generated message and its control id. */
  message: { text: string; controlId: string } | null;
  orderContext: OrderContext | null;
  /** What the worklist says about the order, which wins over the message; null before it was asked. */
  worklistItem: OrderContext | null;
  /** The performed procedure step as it was last reported; null before one was. */
  performedStep: PerformedStep | null;
  studies: readonly StudySpec[];
  /** What a failed SEND_DICOM left to do; null before and after it. */
  unsent: UnsentInstances | null;
  accounts: IterationAccounts;
}

/** A performed procedure step (MPPS) of the iteration's first study. */
export interface PerformedStep {
  sopInstanceUid: string;
  status: MppsStatus;
  /** This status may be at the peer already, though we know of no answer. */
  mayHaveArrived: boolean;
}

/** Indices of destination, study and series, and the instance number from 1. */
export type UnsentInstance = readonly [destination: number, study: number, series: number, instance: number];

/** A retry sends only what is missing. */
export interface UnsentInstances {
  instances: readonly UnsentInstance[];
  /** Instances that the receiver refused for good; the step fails even when the rest is stored. */
  refused: number;
  /** Why, of the last one refused. */
  refusal: { code: ErrorCode; message: string } | null;
}

/** Running totals of an iteration; they end up in its terminal row. */
export interface IterationAccounts {
  /** On the wires, microseconds. */
  sutUs: number;
  /** In our own code, microseconds. */
  ownUs: number;
  dicom: DicomAccounts;
  /** The sum of digests of messages and data set headers, each counted once however often it is sent. Changed in place. */
  digest: DigestSum;
}

export interface DicomAccounts {
  attemptedInstances: number;
  successInstances: number;
  attemptedBytes: number;
  successBytes: number;
  /** SEND_DICOM steps, each with its association. */
  sendCount: number;
  sendSumUs: number;
  sendMinUs: number | null;
  sendMaxUs: number | null;
  throughputSumMbps: number;
  throughputMinMbps: number | null;
  throughputMaxMbps: number | null;
  throughputCount: number;
}

/** What is known of the order by those who told of it: the worklist, then its message. */
export function toldOf(state: Pick<IterationState, 'orderContext' | 'worklistItem'>): OrderContext | null {
  return laterWins(state.orderContext, state.worklistItem);
}

/** Of an iteration that has sent nothing yet. */
export function noDicomAccounts(): DicomAccounts {
  return {
    attemptedInstances: 0,
    successInstances: 0,
    attemptedBytes: 0,
    successBytes: 0,
    sendCount: 0,
    sendSumUs: 0,
    sendMinUs: null,
    sendMaxUs: null,
    throughputSumMbps: 0,
    throughputMinMbps: null,
    throughputMaxMbps: null,
    throughputCount: 0,
  };
}

/** The rest of an iteration from an async step on. Parameters and endpoints are those of the run's template. */
export interface Job {
  schemaVersion: typeof JOB_SCHEMA_VERSION;
  deploymentId: string;
  jobId: string;
  runId: number;
  /** Patient number, from 1. */
  iteration: number;
  /** Which job of the iteration this is, from 1; a hop to another queue is a new segment. */
  segment: number;
  queue: string;
  jobType: string | null;
  /** Of the step that opened it; for whoever reads the queue or the dead letters. */
  metadata: Readonly<Record<string, unknown>>;
  retry: RetryPolicy;
  /** From 1. */
  attempt: number;
  /** Of a job that was requeued: the attempts of its policy, which each life has. */
  attemptsALife?: number;
  /** Step orders still to be executed, the first of which is where this attempt begins; none after a wait at the end. */
  remainingSteps: readonly number[];
  /** Repetitions of the first remaining step that are already done. */
  repeatsDone: number;
  /** Null until a step needed it: the patient and the order are those that the run draws for the iteration. */
  state: IterationState | null;
  /** Intended start of the iteration; see `Clock.epochUs`. */
  intendedStartUs: number;
  publishedAtUs: number;
  possiblyRepeated: boolean;
}

/** Which attempt of its present life this is, from 1; a requeued job counts its attempts on. */
export function attemptInLife({ attempt, attemptsALife, retry }: Job): number {
  const earlier = retry.maxAttempts - (attemptsALife ?? retry.maxAttempts);
  return attempt - earlier;
}
