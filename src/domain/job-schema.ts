import { type Failure, failure } from '../lib/errors.ts';
import { type IterationAccounts, type IterationState, JOB_SCHEMA_VERSION, type Job } from './job.ts';
import { DEFAULT_RETRY, type RetryPolicy } from './template.ts';

/** What a field has to be, in words, and whether it is. */
type Check = readonly [expected: string, holds: (value: unknown) => boolean];
/** A check for each field, so that none is forgotten; in the order in which they are looked at. */
type Checks<Shape> = { readonly [Name in keyof Shape]-?: Check };

const isText = (value: unknown): boolean => typeof value === 'string';
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isCount = (value: unknown): boolean => isWhole(value) && value !== 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
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

function faultOf(job: Job): string | null {
  const { retry, state } = job;
  const fault = faultIn(job, JOB_FIELDS) ?? faultIn(retry, RETRY_FIELDS, 'retry.');
  if (fault !== null || state === null) return fault;
  return (
    faultIn(state, STATE_FIELDS, 'state.') ?? faultIn(state.accounts, ACCOUNTS_FIELDS, 'state.accounts.')
  );
}

export type DecodedJob = { ok: true; job: Job } | Failure;

/**
 * What a message leaves out, since nearly every job has it: a third of its bytes. These values are part of the message's
 * version; a default that changes is to be left as it is here.
 */
const USUAL = {
  jobType: null,
  metadata: {},
  retry: DEFAULT_RETRY,
  attempt: 1,
  repeatsDone: 0,
  state: null,
  possiblyRepeated: false,
} satisfies Partial<Job>;

const unlessUsual = <Value>(value: Value, usual: Value): Value | undefined =>
  value === usual ? undefined : value;

/** A job as the queue carries it: JSON, without what is usual. */
export function encodeJob(job: Job): string {
  return JSON.stringify({
    ...job,
    jobType: unlessUsual(job.jobType, USUAL.jobType),
    metadata: Object.keys(job.metadata).length === 0 ? undefined : job.metadata,
    retry: unlessUsual(job.retry, USUAL.retry),
    attempt: unlessUsual(job.attempt, USUAL.attempt),
    repeatsDone: unlessUsual(job.repeatsDone, USUAL.repeatsDone),
    state: unlessUsual(job.state, USUAL.state),
    possiblyRepeated: unlessUsual(job.possiblyRepeated, USUAL.possiblyRepeated),
  });
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
  if (!isObject(value)) return invalid('expected an object');
  const { schemaVersion: version } = value;
  if (typeof version === 'number' && version > JOB_SCHEMA_VERSION)
    return failure(
      'JOB_VERSION',
      `job message has version ${version}, this program knows up to ${JOB_SCHEMA_VERSION}: update the workers`,
    );
  if (version !== JOB_SCHEMA_VERSION && version !== JOB_SCHEMA_VERSION - 1) {
    const told = version === undefined ? 'missing' : JSON.stringify(version).slice(0, MAX_SHOWN);
    return invalid(
      `schemaVersion: it is ${told}, this program reads ${JOB_SCHEMA_VERSION - 1} and ${JOB_SCHEMA_VERSION}: ` +
        'a much older program, or something else, publishes to this queue',
    );
  }
  // The version before wrote all of its fields.
  const job = { ...USUAL, ...value, schemaVersion: JOB_SCHEMA_VERSION } as Job;
  const fault = faultOf(job);
  // `faultOf` holds the shape; what it takes as present was written by `encodeJob`.
  return fault === null ? { ok: true, job } : invalid(fault);
}

function invalid(fault: string): Failure {
  return failure('JOB_INVALID', `queue message is no job of this program: ${fault}`);
}
