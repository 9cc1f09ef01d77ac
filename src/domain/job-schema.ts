import { type Failure, failure } from '../lib/errors.ts';
import { type IterationAccounts, type IterationState, JOB_SCHEMA_VERSION, type Job } from './job.ts';
import type { RetryPolicy } from './template.ts';

/** What a field has to be, in words, and whether it is. */
type Check = readonly [expected: string, holds: (value: unknown) => boolean];
/** A check for each field, so that none is forgotten; in the order in which they are looked at. */
type Checks<Shape> = { readonly [Name in keyof Shape]-?: Check };

const isText = (value: unknown): boolean => typeof value === 'string';
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isCount = (value: unknown): boolean => isWhole(value) && value !== 0;
const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: unknown, holds: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(holds);

const word: Check = ['text', (value) => isText(value) && value !== ''];
const whole: Check = ['a whole number from 0', isWhole];
const count: Check = ['a whole number from 1', isCount];
const instant: Check = ['a number', Number.isFinite];
const flag: Check = ['true or false', (value) => typeof value === 'boolean'];
/** Only whether it is there: looking further into each would take as long as parsing the message. */
const object: Check = ['an object', isObject];
const orNull = ([expected, holds]: Check): Check => [
  `${expected} or null`,
  (value) => value === null || holds(value),
];
const orMissing = ([expected, holds]: Check): Check => [
  expected,
  (value) => value === undefined || holds(value),
];

const MAX_SHOWN = 40;
const RETRY: Checks<RetryPolicy> = {
  maxAttempts: count,
  delayMs: whole,
  backoff: ['"fixed" or "exponential"', (value) => value === 'fixed' || value === 'exponential'],
  maxDelayMs: whole,
};
const ACCOUNTS: Checks<Pick<IterationAccounts, 'dicom' | 'digest'>> = {
  dicom: object,
  digest: ['8 words', (value) => isList(value, isWhole) && (value as unknown[]).length === 8],
};
const STATE: Checks<IterationState> = {
  patient: object,
  order: object,
  message: orNull(object),
  orderContext: orNull(object),
  worklistItem: orNull(object),
  performedStep: orNull(object),
  studies: ['a list of objects', (value) => isList(value, isObject)],
  unsent: orNull(object),
  accounts: object,
};
/**
 * The fields that the queue and the worker decide by are checked one by one; patient, order and studies were written
 * by this program, so that their presence is enough.
 */
const JOB: Checks<Omit<Job, 'schemaVersion'>> = {
  deploymentId: word,
  jobId: word,
  runId: whole,
  iteration: count,
  segment: count,
  queue: word,
  jobType: orNull(['text', isText]),
  metadata: orMissing(object),
  retry: object,
  attempt: count,
  attemptsALife: orMissing(count),
  // Empty where only the end of a wait is left.
  remainingSteps: ['a list of whole numbers from 1', (value) => isList(value, isCount)],
  repeatsDone: whole,
  state: orNull(object),
  intendedStartUs: instant,
  publishedAtUs: instant,
  possiblyRepeated: flag,
};

/** Entries once, not for each message. */
const JOB_FIELDS = Object.entries(JOB);
const RETRY_FIELDS = Object.entries(RETRY);
const STATE_FIELDS = Object.entries(STATE);
const ACCOUNTS_FIELDS = Object.entries(ACCOUNTS);

/** What the first wrong field has to be; null when all are right. */
function faultIn(value: unknown, fields: readonly [name: string, Check][], path = ''): string | null {
  for (const [name, [expected, holds]] of fields) {
    if (!holds((value as Record<string, unknown>)[name])) return `${path}${name}: expected ${expected}`;
  }
  return null;
}

function faultOf(value: unknown): string | null {
  if (!isObject(value)) return 'expected an object';
  const { schemaVersion, retry, state } = value as Job;
  if (schemaVersion !== JOB_SCHEMA_VERSION && schemaVersion !== JOB_SCHEMA_VERSION - 1) {
    const told = schemaVersion === undefined ? 'missing' : JSON.stringify(schemaVersion).slice(0, MAX_SHOWN);
    return (
      `schemaVersion: it is ${told}, this program reads ${JOB_SCHEMA_VERSION - 1} and ${JOB_SCHEMA_VERSION}: ` +
      'a much older program, or something else, publishes to this queue'
    );
  }
  const fault = faultIn(value, JOB_FIELDS) ?? faultIn(retry, RETRY_FIELDS, 'retry.');
  if (fault !== null || state === null) return fault;
  return (
    faultIn(state, STATE_FIELDS, 'state.') ?? faultIn(state.accounts, ACCOUNTS_FIELDS, 'state.accounts.')
  );
}

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
  const fault = faultOf(value);
  if (fault !== null) {
    return failure('JOB_INVALID', `queue message is no job of this program: ${fault}`);
  }
  // `faultOf` holds the shape; what it takes as present was written by `encodeJob`.
  return { ok: true, job: upToDate(value as Job) };
}

/** The version before carried the run's identity in each job; metadata came within it. */
function upToDate(sent: Job): Job {
  if (sent.schemaVersion === JOB_SCHEMA_VERSION && sent.metadata) return sent;
  const { identity: _, ...job } = sent as Job & { identity?: unknown };
  return { ...job, schemaVersion: JOB_SCHEMA_VERSION, metadata: job.metadata ?? {} };
}
