import type { Endpoint } from './endpoint.ts';
import { MODALITIES, type Modality } from './modality.ts';
import { DEFAULT_CASE_MIX } from './procedures.ts';
import type { Station } from './station.ts';
import { stationsOf } from './stations.ts';
import type { ParametersIn, RetryIn, StepIn } from './step-schema.ts';
import {
  DEFAULT_QUEUE,
  DEFAULT_RETRY,
  type RetryPolicy,
  type Step,
  type StepOf,
  type StepParameters,
  type StepType,
} from './template.ts';
import type { EndpointIn, StationIn, TemplateIn } from './template-schema.ts';

/** The one place where a template's snake_case becomes camelCase. */

export function toEndpoint(name: string, endpoint: EndpointIn): Endpoint {
  return {
    name,
    endpointType: endpoint.endpoint_type,
    hostname: endpoint.hostname,
    port: endpoint.port,
    aeTitle: endpoint.ae_title ?? null,
    callingAeTitle: endpoint.aet_title ?? null,
  };
}

/** What the template leaves out comes from the default station of the modality. */
export function toStation(station: StationIn): Station {
  const usual = stationsOf(station.modality, [])[0]!;
  return {
    modality: station.modality,
    aeTitle: station.ae_title ?? usual.aeTitle,
    name: station.name ?? station.ae_title ?? usual.name,
    manufacturer: station.manufacturer ?? usual.manufacturer,
    model: station.model ?? usual.model,
    destinations: station.destinations ?? usual.destinations,
    cadenceMs: station.cadence_ms ?? usual.cadenceMs,
    association: station.association ?? usual.association,
  };
}

export function toCaseMix(mix: TemplateIn['case_mix']): Partial<Record<Modality, number>> {
  if (!mix) return { ...DEFAULT_CASE_MIX };
  const caseMix: Partial<Record<Modality, number>> = {};
  for (const modality of MODALITIES) {
    const share = mix[modality];
    if (share !== undefined && share > 0) caseMix[modality] = share;
  }
  return caseMix;
}

export function toRetry(retry: RetryIn): RetryPolicy {
  const delayMs = retry.delay_ms ?? DEFAULT_RETRY.delayMs;
  return {
    maxAttempts: retry.max_attempts ?? DEFAULT_RETRY.maxAttempts,
    delayMs,
    backoff: retry.backoff ?? DEFAULT_RETRY.backoff,
    maxDelayMs: retry.max_delay_ms ?? Math.max(delayMs, DEFAULT_RETRY.maxDelayMs),
  };
}

/** How the steps after an older `queue_async` GENERATE_HL7 run: as if the next one carried the new fields. */
export interface HandOff {
  queue: string;
  retry: RetryPolicy;
  metadata: Record<string, unknown>;
}

/** The older spelling of a hand-off; null when the step has none. */
export function toHandOff(parameters: ParametersIn['GENERATE_HL7']): HandOff | null {
  if (parameters.queue_async !== true) return null;
  const attempts = parameters.queue_retry_limit ?? parameters.async_max_attempts ?? parameters.max_attempts;
  const delay =
    parameters.queue_retry_delay_ms ?? parameters.async_retry_delay_ms ?? parameters.retry_delay_ms;
  return {
    queue: parameters.queue_name ?? DEFAULT_QUEUE,
    retry: toRetry({ max_attempts: attempts, delay_ms: delay }),
    metadata: parameters.queue_metadata ?? {},
  };
}

/** Fills in what only the whole template decides: the names that references stand for. */
type ParameterMappers = {
  [T in StepType]: (parameters: ParametersIn[T], endpoint: string) => StepParameters[T];
};

/** The field that the accession number is read from, as `SEG.n`. */
function accessionField(parameters: ParametersIn['GENERATE_HL7']): string {
  if (parameters.accession_field !== 'CUSTOM') return parameters.accession_field;
  return (parameters.custom_accession_field ?? 'OBR.3').replace('-', '.');
}

const PARAMETER_MAPPERS: ParameterMappers = {
  GENERATE_HL7: (parameters) => ({
    generator: parameters.generator_template_id,
    accessionField: accessionField(parameters),
  }),
  SEND_MLLP: (parameters, endpoint) => ({ endpoint, timeoutMs: parameters.timeout_ms }),
  DMWL_FIND: (parameters, endpoint) => ({ endpoint, timeoutMs: parameters.timeout_ms }),
  MPPS_UPDATE: (parameters, endpoint) => ({
    endpoint,
    status: parameters.mpps_status,
    timeoutMs: parameters.timeout_ms,
  }),
  GENERATE_DICOM: (parameters) => ({
    count: parameters.count,
    modality: parameters.modality ?? null,
    studyDescription: parameters.study_description ?? null,
    generatePixels: parameters.generate_pixels,
    burnPatientInfo: parameters.burn_patient_info,
    generateReport: parameters.generate_report,
    store: parameters.store,
  }),
  SEND_DICOM: (parameters, endpoint) => ({
    endpoint,
    associations: parameters.associations,
    maxInFlight: parameters.max_in_flight,
    timeoutMs: parameters.timeout_ms,
  }),
  WAIT: (parameters) => ({ durationSeconds: parameters.duration_seconds }),
};

/**
 * One step. A hand-off from the step before makes it async where it does not say so itself; its own fields win.
 * An async step without a retry policy gets the default one.
 */
export function toStep<T extends StepType>(
  stepType: T,
  stepOrder: number,
  head: StepIn,
  parameters: ParametersIn[T],
  endpoint: string,
  handOff: HandOff | null,
): Step {
  const execution = handOff ? 'async' : (head.execution ?? 'inline');
  const usualRetry = execution === 'async' ? (handOff?.retry ?? DEFAULT_RETRY) : null;
  const repeat = parameters.repeat ?? head.repeat;
  const step: StepOf<T> = {
    stepType,
    parameters: PARAMETER_MAPPERS[stepType](parameters, endpoint),
    stepOrder,
    label: head.label ?? parameters.label ?? null,
    execution,
    queue: head.queue ?? handOff?.queue ?? DEFAULT_QUEUE,
    jobType: head.job_type ?? null,
    retry: head.retry ? toRetry(head.retry) : usualRetry,
    metadata: { ...handOff?.metadata, ...head.metadata },
    repeat: { count: repeat?.count ?? 1, delayMs: repeat?.delay_ms ?? 0 },
  };
  return step as Step;
}
