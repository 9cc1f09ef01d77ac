import type { Endpoint, EndpointLimits } from '../domain/endpoint.ts';
import type { RunStatus } from '../domain/run-state.ts';
import type { OnFailure, Template } from '../domain/template.ts';
import type { QueueMode, WorkerState } from './coordination-port.ts';
import {
  bigint,
  bigserial,
  bit,
  boolean,
  doublePrecision,
  index,
  integer,
  json,
  numeric,
  pgTable,
  primaryKey,
  sql,
  text,
  uuid,
} from './drizzle.ts';
import { count, HAND_OFFS_A_PAGE, maybe } from './schema-columns.ts';
import { simTemplates } from './server-schema.ts';

/*
 * Column names are the snake_case of their keys. Times are milliseconds since the epoch, as everywhere in the
 * program. Ledger tables have no foreign keys: a check for every row would cost more than the row, and nothing
 * but the ledger's own statements writes them. Their primary keys begin with the run, so that one index keeps
 * rows unique, pages through a run and deletes it.
 */

const sum = () => count().default(0);
/** Signed 64 bits, beyond the integers of a double. */
const lane = () => bigint({ mode: 'bigint' }).notNull();

/** One row: who this store is. */
export const deployment = pgTable('deployment', {
  id: uuid().primaryKey(),
  seed: count(),
});

/** First namespace block of a seed that no run has had. */
export const namespaces = pgTable('namespaces', {
  seed: bigint({ mode: 'number' }).primaryKey(),
  next: integer().notNull(),
});

export const runs = pgTable(
  'runs',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    userId: maybe(),
    /** Of the server; none where the template came from a file. */
    templateId: maybe().references(() => simTemplates.id),
    status: text().$type<RunStatus>().notNull(),
    template: json().$type<Template>().notNull(),
    /** Beside the template, so that lists need not read it. */
    templateName: text().notNull(),
    /** Of its jobs; null when that is not known. */
    queues: text().array(),
    seed: count(),
    namespace: integer().notNull(),
    clockStartMs: count(),
    uidRoot: text(),
    patientCount: integer().notNull(),
    concurrency: integer().notNull(),
    closedModel: boolean().notNull().default(false),
    onFailure: text().$type<OnFailure>().notNull(),
    tags: json().$type<readonly string[]>().notNull(),
    createdAtMs: count(),
    updatedAtMs: count(),
    startedAtMs: maybe(),
    completedAtMs: maybe(),
    startedIterations: integer().notNull().default(0),
    cancelRequested: boolean().notNull().default(false),
    endpoints: json().$type<Readonly<Record<string, Endpoint>>>().notNull().default({}),
    limits: json().$type<Readonly<Record<string, EndpointLimits>>>().notNull().default({}),
    /** Times that the run was claimed. */
    fence: integer().notNull().default(0),
    runnerId: text(),
    /** By the database's clock. */
    leaseExpiresAtMs: maybe(),
  },
  (table) => [
    index('runs_not_over').on(table.id).where(sql`${table.completedAtMs} is null`),
    index('runs_of_user').on(table.userId, table.id),
    index('runs_of_template').on(table.templateId, table.id),
  ],
);

/**
 * What the rows of a run add up to, changed in the transaction that adds them. A run has several rows here, each of
 * them changed by some of the processes, so that writers do not queue behind one row; the sum of all is what counts.
 * Apart from `runs`, or flushes would hold up leases.
 */
export const runSums = pgTable(
  'run_sums',
  {
    runId: count(),
    slot: integer().notNull(),
    completed: sum(),
    failed: sum(),
    cancelled: sum(),
    sutUs: sum(),
    ownUs: sum(),
    studiesStored: sum(),
    dicomAttemptedInstances: sum(),
    dicomSuccessInstances: sum(),
    dicomAttemptedBytes: sum(),
    dicomSuccessBytes: sum(),
    dicomSendCount: sum(),
    dicomSendSumUs: sum(),
    dicomSendMinUs: maybe(),
    dicomSendMaxUs: maybe(),
    dicomThroughputSumMbps: doublePrecision().notNull().default(0),
    dicomThroughputMinMbps: doublePrecision(),
    dicomThroughputMaxMbps: doublePrecision(),
    dicomThroughputCount: sum(),
    /** Sums of lanes outgrow 64 bits. */
    digest0: numeric().notNull().default('0'),
    digest1: numeric().notNull().default('0'),
    digest2: numeric().notNull().default('0'),
    digest3: numeric().notNull().default('0'),
    jobs: sum(),
    jobsSucceeded: sum(),
    jobsDead: sum(),
    jobsHandedOn: sum(),
    attempts: sum(),
    attemptsSucceeded: sum(),
    attemptDurationSumUs: sum(),
    attemptDurationMinUs: maybe(),
    attemptDurationMaxUs: maybe(),
    duplicates: sum(),
    requeued: sum(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.slot] })],
);

/** Totals of runs that have been over for a while, as JSON; gone when the run is reopened. */
export const runTotalsKept = pgTable('run_totals_kept', {
  runId: bigint({ mode: 'number' }).primaryKey(),
  totals: text().notNull(),
});

/** Runs that are deleted and whose rows may not all be. */
export const deletedRuns = pgTable('deleted_runs', {
  runId: bigint({ mode: 'number' }).primaryKey(),
});

/** The last batch of each line of writing: tells whether one whose answer was lost with its connection is there. */
export const ledgerWriters = pgTable('ledger_writers', {
  id: uuid().primaryKey(),
  batch: count(),
  writtenAtMs: count(),
});

export const workers = pgTable('workers', {
  workerId: text().primaryKey(),
  host: text().notNull(),
  pid: integer().notNull(),
  version: text().notNull(),
  queues: json().$type<readonly string[]>().notNull(),
  concurrency: integer().notNull(),
  busy: integer().notNull(),
  jobs: count(),
  state: text().$type<WorkerState>().notNull(),
  held: json().$type<Readonly<Record<string, number>>>().notNull().default({}),
  startedAtMs: count(),
  /** By the database's clock. */
  lastSeenAtMs: count(),
});

/** Queues that are not open. */
export const queueModes = pgTable('queue_modes', {
  queue: text().primaryKey(),
  mode: text().$type<Exclude<QueueMode, 'open'>>().notNull(),
});

export const runEvents = pgTable(
  'run_events',
  {
    runId: count(),
    id: bigserial({ mode: 'number' }).notNull(),
    timestampMs: count(),
    stepOrder: integer().notNull(),
    iteration: integer().notNull(),
    status: text().notNull(),
    details: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.id] })],
);

/**
 * Jobs, as soon as they are known to be queued or are settled, whichever is written first. The first settlement is
 * the job's outcome. A job belongs to one run. No index but the key: settling must not have to maintain it.
 */
/** Iterations of a run whose first job was on its queue: a bit each. */
export const handedOff = pgTable(
  'handed_off',
  {
    runId: count(),
    /** Of `HAND_OFFS_A_PAGE` iterations. */
    page: integer().notNull(),
    iterations: bit({ dimensions: HAND_OFFS_A_PAGE }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.page] })],
);

/** Jobs that are settled, a row each. */
export const jobs = pgTable(
  'jobs',
  {
    runId: count(),
    jobId: uuid().notNull(),
    /** Null in a dead job that is queued again. */
    outcome: text(),
    attempt: integer(),
    /** Times that it was dead and was queued again. */
    requeues: integer().notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.runId, table.jobId] })],
);

export const jobAttempts = pgTable(
  'job_attempts',
  {
    runId: count(),
    jobId: uuid().notNull(),
    attempt: integer().notNull(),
    id: bigserial({ mode: 'number' }).notNull(),
    queue: text().notNull(),
    jobType: text(),
    outcome: text().notNull(),
    errorCode: text(),
    error: text(),
    durationUs: count(),
    queueWaitUs: maybe(),
    stepsExecuted: integer().notNull(),
    remainingSteps: integer().notNull(),
    patientIteration: integer().notNull(),
    repeatIteration: integer().notNull(),
    workerId: text().notNull(),
    possiblyRepeated: boolean().notNull(),
    createdAtMs: count(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.jobId, table.attempt] }),
    index('job_attempts_in_order').on(table.runId, table.id),
    index('job_attempts_failed').on(table.id).where(sql`${table.outcome} <> 'success'`),
    index('job_attempts_repeated')
      .on(table.runId, table.patientIteration)
      .where(sql`${table.possiblyRepeated}`),
  ],
);

/** Terminal rows. */
export const iterations = pgTable(
  'iterations',
  {
    runId: count(),
    iteration: integer().notNull(),
    outcome: text().notNull(),
    failedStep: integer(),
    errorCode: text(),
    error: text(),
    endedAtMs: count(),
    responseUs: count(),
    sutUs: count(),
    ownUs: count(),
    patientId: text(),
    accessionNumber: text(),
    /** Null stands for none. */
    studyInstanceUids: text().array(),
    dicomAttemptedInstances: count(),
    dicomSuccessInstances: count(),
    dicomAttemptedBytes: count(),
    dicomSuccessBytes: count(),
    dicomSendCount: count(),
    dicomSendSumUs: count(),
    dicomSendMinUs: maybe(),
    dicomSendMaxUs: maybe(),
    dicomThroughputSumMbps: doublePrecision().notNull(),
    dicomThroughputMinMbps: doublePrecision(),
    dicomThroughputMaxMbps: doublePrecision(),
    dicomThroughputCount: count(),
    digest0: lane(),
    digest1: lane(),
    digest2: lane(),
    digest3: lane(),
    possiblyRepeated: boolean().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.iteration] }),
    index('iterations_failed').on(table.runId).where(sql`${table.outcome} = 'failed'`),
    index('iterations_repeated').on(table.runId, table.iteration).where(sql`${table.possiblyRepeated}`),
  ],
);

export const metricWindows = pgTable(
  'metric_windows',
  {
    runId: count(),
    second: count(),
    series: text().notNull(),
    processId: text().notNull(),
    okCount: count(),
    okSumUs: count(),
    okMinUs: maybe(),
    okMaxUs: maybe(),
    okLastUs: maybe(),
    failedCount: count(),
    failedSumUs: count(),
    failedMinUs: maybe(),
    failedMaxUs: maybe(),
    bytes: count(),
    okHistogram: text(),
    failedHistogram: text(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.second, table.series, table.processId] })],
);

export const processHealth = pgTable(
  'process_health',
  {
    runId: count(),
    second: count(),
    processId: text().notNull(),
    cpuShare: doublePrecision().notNull(),
    loopDelayP99Us: bigint('loop_delay_p99_us', { mode: 'number' }).notNull(),
    loopDelayMaxUs: count(),
    rssBytes: count(),
    heapUsedBytes: count(),
    externalBytes: count(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.second, table.processId] })],
);

export const queueDepths = pgTable(
  'queue_depths',
  {
    runId: count(),
    second: count(),
    queue: text().notNull(),
    ready: integer().notNull(),
    unacknowledged: integer().notNull(),
    consumers: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.second, table.queue] })],
);

export const targets = pgTable(
  'targets',
  {
    host: text().notNull(),
    port: integer().notNull(),
    aeTitle: text(),
    owner: text().notNull(),
    expiresAtMs: count(),
    maxAssociations: integer().notNull(),
    maxMessagesPerSecond: doublePrecision(),
    maxBytes: maybe(),
  },
  (table) => [primaryKey({ columns: [table.host, table.port] })],
);

/** What each process, for each run, has of a system under test at the moment. */
export const endpointShares = pgTable(
  'endpoint_shares',
  {
    /** Host and port. */
    address: text().notNull(),
    holder: text().notNull(),
    wanted: integer().notNull(),
    connections: integer().notNull(),
    perSecond: doublePrecision().notNull(),
    /** By the database's clock, like all three. */
    turnMs: doublePrecision().notNull(),
    sinceMs: doublePrecision().notNull(),
    expiresAtMs: doublePrecision().notNull(),
  },
  (table) => [primaryKey({ columns: [table.address, table.holder] })],
);

/** Bytes that a run's processes have taken of its budget for a system under test. */
export const endpointBytes = pgTable(
  'endpoint_bytes',
  { runId: count(), address: text().notNull(), taken: count() },
  (table) => [primaryKey({ columns: [table.runId, table.address] })],
);
