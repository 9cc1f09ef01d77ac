import { z } from 'zod';
import { type Failure, failure } from '../lib/errors.ts';
import { JOB_SCHEMA_VERSION, type Job } from './job.ts';

const whole = z.int().min(0);
/** Only whether it is there: looking further into each would take as long as parsing the message. */
const present = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  { error: 'Invalid input: expected object' },
);
const isWord = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const digest = z.custom<number[]>(
  (value) => Array.isArray(value) && value.length === 8 && value.every(isWord),
  { error: 'Invalid input: expected 8 words' },
);

const MAX_SHOWN = 40;
const knownVersion = z.literal([JOB_SCHEMA_VERSION - 1, JOB_SCHEMA_VERSION], {
  error: ({ input }) => {
    const told = input === undefined ? 'missing' : JSON.stringify(input).slice(0, MAX_SHOWN);
    return (
      `it is ${told}, this program reads ${JOB_SCHEMA_VERSION - 1} and ${JOB_SCHEMA_VERSION}: ` +
      'a much older program, or something else, publishes to this queue'
    );
  },
});

const stateSchema = z.object({
  patient: present,
  order: present,
  message: present.nullable(),
  orderContext: present.nullable(),
  worklistItem: present.nullable(),
  performedStep: present.nullable(),
  studies: z.array(present),
  unsent: present.nullable(),
  accounts: z.object({ dicom: present, digest }),
});

/**
 * The fields that the queue and the worker decide by are checked one by one; patient, order and studies were written
 * by this program, so that their presence is enough.
 */
const jobSchema = z.object({
  schemaVersion: knownVersion,
  deploymentId: z.string().min(1),
  jobId: z.string().min(1),
  runId: whole,
  iteration: z.int().min(1),
  segment: z.int().min(1),
  queue: z.string().min(1),
  jobType: z.string().nullable(),
  metadata: present.optional(),
  retry: z.object({
    maxAttempts: z.int().min(1),
    delayMs: whole,
    backoff: z.enum(['fixed', 'exponential']),
    maxDelayMs: whole,
  }),
  attempt: z.int().min(1),
  attemptsALife: z.int().min(1).optional(),
  // Empty where only the end of a wait is left.
  remainingSteps: z.array(z.int().min(1)),
  repeatsDone: whole,
  state: stateSchema.nullable(),
  intendedStartUs: z.number(),
  publishedAtUs: z.number(),
  possiblyRepeated: z.boolean(),
});

export type DecodedJob = { ok: true; job: Job } | Failure;

/** A job as the queue carries it, JSON. */
export function encodeJob(job: Job): string {
  return JSON.stringify(job);
}

function versionOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'schemaVersion' in value
    ? value.schemaVersion
    : undefined;
}

/**
 * Reads a message from a queue. A message of a newer version is JOB_VERSION, which may be retried: a newer worker
 * understands it; anything else that is no job is JOB_INVALID.
 */
export function decodeJob(text: string): DecodedJob {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failure('JOB_INVALID', 'queue message is not JSON: something else publishes to this queue');
  }
  const version = versionOf(value);
  if (typeof version === 'number' && version > JOB_SCHEMA_VERSION)
    return failure(
      'JOB_VERSION',
      `job message has version ${version}, this program knows up to ${JOB_SCHEMA_VERSION}: update the workers`,
    );
  const result = jobSchema.safeParse(value);
  if (!result.success) {
    const [first] = result.error.issues;
    const where = first!.path.map(String).join('.') || 'message';
    return failure('JOB_INVALID', `queue message is no job of this program: ${where}: ${first!.message}`);
  }
  // `jobSchema` holds the shape; what it takes as present was written by `encodeJob`.
  return { ok: true, job: upToDate(value as Job) };
}

/** The version before carried the run's identity in each job; metadata came within it. */
function upToDate(sent: Job): Job {
  if (sent.schemaVersion === JOB_SCHEMA_VERSION && sent.metadata) return sent;
  const { identity: _, ...job } = sent as Job & { identity?: unknown };
  return { ...job, schemaVersion: JOB_SCHEMA_VERSION, metadata: job.metadata ?? {} };
}
