import type { Endpoint } from './endpoint.ts';
import type { Modality } from './modality.ts';
import type { Station } from './station.ts';

export const STEP_TYPES = [
  'GENERATE_HL7',
  'SEND_MLLP',
  'DMWL_FIND',
  'MPPS_UPDATE',
  'GENERATE_DICOM',
  'SEND_DICOM',
  'WAIT',
] as const;
export type StepType = (typeof STEP_TYPES)[number];

export const EXECUTIONS = ['inline', 'async'] as const;
export type Execution = (typeof EXECUTIONS)[number];

export const ON_FAILURE = ['continue', 'fail_run'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

export const DEFAULT_QUEUE = 'yeeter.simulation.orders';

/** `maxAttempts` counts the first. Belongs to the step that opens a job. */
export interface RetryPolicy {
  maxAttempts: number;
  delayMs: number;
  backoff: 'fixed' | 'exponential';
  maxDelayMs: number;
}

/** The policy of an async step that names none. */
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 3,
  delayMs: 5000,
  backoff: 'fixed',
  maxDelayMs: 300_000,
};

export interface GenerateHl7Parameters {
  /** Name of a generator of the template. */
  generator: string;
  /** `SEG.n`; where the accession number is read from. @default OBR.3 */
  accessionField: string;
}

export interface SendMllpParameters {
  endpoint: string;
  /** @default 10000 */
  timeoutMs: number;
}

export interface GenerateDicomParameters {
  /** Images in the study, or `typical`: localisers, reconstructions, dose report and a long-tailed count. @default 10 */
  count: number | 'typical';
  modality: Modality | null;
  studyDescription: string | null;
  generatePixels: boolean;
  burnPatientInfo: boolean;
  generateReport: boolean;
  /** `disk` also writes the study as files. @default stream */
  store: 'stream' | 'disk';
}

export interface SendDicomParameters {
  endpoint: string;
  /** Parallel associations for one study. @default 1 */
  associations: number;
  /** Asynchronous operations asked for; 1 asks for none. @default 1 */
  maxInFlight: number;
  /** @default 30000 */
  timeoutMs: number;
}

export interface DmwlFindParameters {
  endpoint: string;
  /** @default 30000 */
  timeoutMs: number;
}

export const MPPS_STATUSES = ['IN PROGRESS', 'COMPLETED', 'DISCONTINUED'] as const;
/** Performed Procedure Step Status (0040,0252). */
export type MppsStatus = (typeof MPPS_STATUSES)[number];

export interface MppsUpdateParameters {
  endpoint: string;
  /** @default IN PROGRESS */
  status: MppsStatus;
  /** @default 30000 */
  timeoutMs: number;
}

export interface WaitParameters {
  /** @default 1 */
  durationSeconds: number;
}

export interface StepParameters {
  GENERATE_HL7: GenerateHl7Parameters;
  SEND_MLLP: SendMllpParameters;
  DMWL_FIND: DmwlFindParameters;
  MPPS_UPDATE: MppsUpdateParameters;
  GENERATE_DICOM: GenerateDicomParameters;
  SEND_DICOM: SendDicomParameters;
  WAIT: WaitParameters;
}

interface StepBase {
  /** From 1, without gaps. */
  stepOrder: number;
  label: string | null;
  execution: Execution;
  queue: string;
  jobType: string | null;
  retry: RetryPolicy | null;
  metadata: Readonly<Record<string, unknown>>;
  repeat: { count: number; delayMs: number };
}

export type StepOf<T extends StepType> = StepBase & { stepType: T; parameters: StepParameters[T] };

/** One step, its parameters typed by its `stepType`. */
export type Step = { [T in StepType]: StepOf<T> }[StepType];

export interface Generator {
  name: string;
  /** For example `ORM^O01`. */
  messageType: string;
  /** HL7 text with cues. */
  content: string;
}

/** A validated template: what a run does for each patient. */
export interface Template {
  name: string;
  description: string;
  onFailure: OnFailure;
  steps: readonly Step[];
  endpoints: Readonly<Record<string, Endpoint>>;
  generators: Readonly<Record<string, Generator>>;
  /** Relative frequency of the modalities that orders are drawn for. */
  caseMix: Readonly<Partial<Record<Modality, number>>>;
  /** Share of iterations that are returning visits of an earlier patient, 0 to 1. @default 0 */
  returningShare: number;
  /** Requested procedures of one order, each a study of its own. @default 1 */
  proceduresPerOrder?: number;
  /** Begins every last name. @default ZZTEST */
  namePrefix?: string;
  stations: readonly Station[];
}
