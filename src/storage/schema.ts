import {
  bigint,
  bigserial,
  boolean,
  doublePrecision,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import type { RunStatus } from '../domain/run-state.ts';
import type { OnFailure, Template } from '../domain/template.ts';

/*
 * Column names are the snake_case of their keys. Times are milliseconds since the epoch, as everywhere in the
 * program. Ledger tables have no foreign keys: a check for every row would cost more than the row, and nothing
 * but the ledger's own statements writes them. Their primary keys begin with the run, so that one index keeps
 * rows unique, pages through a run and deletes it.
 */

const count = () => bigint({ mode: 'number' }).notNull();
const maybe = () => bigint({ mode: 'number' });
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

export const runs = pgTable('runs', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  userId: maybe(),
  status: text().$type<RunStatus>().notNull(),
  template: json().$type<Template>().notNull(),
  seed: count(),
  namespace: integer().notNull(),
  clockStartMs: count(),
  uidRoot: text(),
  patientCount: integer().notNull(),
  concurrency: integer().notNull(),
  onFailure: text().$type<OnFailure>().notNull(),
  tags: json().$type<readonly string[]>().notNull(),
  createdAtMs: count(),
  updatedAtMs: count(),
  startedAtMs: maybe(),
  completedAtMs: maybe(),
  startedIterations: integer().notNull().default(0),
  cancelRequested: boolean().notNull().default(false),
  duplicateCount: integer().notNull().default(0),
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

/** Settlements: the row that is there first is the job's outcome. A job belongs to one run. */
export const jobs = pgTable(
  'jobs',
  {
    runId: count(),
    jobId: uuid().notNull(),
    outcome: text().notNull(),
    attempt: integer().notNull(),
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
  (table) => [primaryKey({ columns: [table.runId, table.iteration] })],
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
