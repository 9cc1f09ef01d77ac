import { z } from 'zod';
import { MODALITIES } from './modality.ts';
import {
  expects,
  flag,
  integer,
  line,
  number,
  oneOf,
  queueName,
  record,
  reference,
} from './schema-fields.ts';
import { EXECUTIONS, MPPS_STATUSES, type StepType } from './template.ts';

const DAY_MS = 86_400_000;
const MAX_ATTEMPTS = 1000;

/** `repeat` of a step: executions in all, and the time between them. */
const repeatSchema = z.object(
  { count: integer(1, 1_000_000).default(1), delay_ms: integer(0, DAY_MS).default(0) },
  { error: expects('count and delay_ms') },
);

export const retrySchema = z.object(
  {
    max_attempts: integer(1, MAX_ATTEMPTS).optional(),
    delay_ms: integer(0, DAY_MS).optional(),
    backoff: oneOf(['fixed', 'exponential']).optional(),
    max_delay_ms: integer(0, DAY_MS).optional(),
  },
  { error: expects('max_attempts, delay_ms, backoff, max_delay_ms') },
);

/** Parameters that every step may have. */
const common = { repeat: repeatSchema.optional(), label: line(200).nullish() };

const images = integer(1, 100_000, 'a whole number of images from 1 to 100000, or "typical"');
const countSchema = z.union([z.literal('typical'), images], {
  error: expects('a whole number of images from 1 to 100000, or "typical"'),
});

/** The older spelling of an async hand-off, inside the parameters of GENERATE_HL7. */
const olderQueue = {
  queue_async: flag().optional(),
  queue_name: queueName().optional(),
  queue_metadata: record().nullish(),
  queue_retry_limit: integer(1, MAX_ATTEMPTS).optional(),
  async_max_attempts: integer(1, MAX_ATTEMPTS).optional(),
  max_attempts: integer(1, MAX_ATTEMPTS).optional(),
  queue_retry_delay_ms: integer(0, DAY_MS).optional(),
  async_retry_delay_ms: integer(0, DAY_MS).optional(),
  retry_delay_ms: integer(0, DAY_MS).optional(),
};

/** `OBR.3`, or `OBR-3` as the standard writes it. */
const FIELD = /^[A-Z][A-Z0-9]{2}[.-][1-9]\d{0,2}$/;

/** Parameters of each step type as the wire contract writes them; unknown fields are stripped. */
export const PARAMETER_SCHEMAS = {
  GENERATE_HL7: z.object({
    generator_template_id: reference('the name of a generator'),
    accession_field: oneOf(['OBR.3', 'OBR.2', 'ORC.2', 'ORC.3', 'CUSTOM']).default('OBR.3'),
    custom_accession_field: z
      .string({ error: expects('a field like "ZDS.1"') })
      .regex(FIELD, { error: expects('a field like "ZDS.1": segment, dot, number') })
      .nullish(),
    ...common,
    ...olderQueue,
  }),
  SEND_MLLP: z.object({
    endpoint_id: reference('the name of an endpoint').optional(),
    timeout_ms: integer(1, DAY_MS).default(10_000),
    ...common,
  }),
  DMWL_FIND: z.object({
    endpoint_id: reference('the name of an endpoint').optional(),
    timeout_ms: integer(1, DAY_MS).default(30_000),
    ...common,
  }),
  MPPS_UPDATE: z.object({
    endpoint_id: reference('the name of an endpoint').optional(),
    mpps_status: oneOf(MPPS_STATUSES).default('IN PROGRESS'),
    timeout_ms: integer(1, DAY_MS).default(30_000),
    ...common,
  }),
  GENERATE_DICOM: z.object({
    count: countSchema.default(10),
    modality: oneOf(MODALITIES).nullish(),
    study_description: line(64).nullish(),
    generate_pixels: flag().default(true),
    burn_patient_info: flag().default(false),
    generate_report: flag().default(false),
    store: oneOf(['stream', 'disk']).default('stream'),
    ...common,
  }),
  SEND_DICOM: z.object({
    endpoint_id: reference('the name of an endpoint').optional(),
    associations: integer(1, 128).default(1),
    max_in_flight: integer(1, 1024).default(1),
    timeout_ms: integer(1, DAY_MS).default(30_000),
    ...common,
  }),
  WAIT: z.object({ duration_seconds: number(0, 86_400).default(1), ...common }),
} as const satisfies Record<StepType, z.ZodObject>;

export type ParametersIn = { [T in StepType]: z.output<(typeof PARAMETER_SCHEMAS)[T]> };

/** A step around its parameters. */
export const stepSchema = z.object(
  {
    step_type: z.string({ error: expects('the type of the step') }),
    step_order: integer(1, 1295).optional(),
    parameters: record().nullish(),
    execution: oneOf(EXECUTIONS).optional(),
    queue: queueName().optional(),
    job_type: line(100).nullish(),
    retry: retrySchema.nullish(),
    metadata: record().nullish(),
    label: line(200).nullish(),
    repeat: repeatSchema.nullish(),
  },
  { error: expects('a step: step_type and parameters') },
);

export type StepIn = z.output<typeof stepSchema>;
export type RetryIn = z.output<typeof retrySchema>;
