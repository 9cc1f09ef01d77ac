import { asyncQueues } from '../domain/async-queues.ts';
import type {
  AttemptOutcome,
  EventStatus,
  IterationOutcome,
  IterationRow,
  NewRun,
  RunRecord,
  StoredAttempt,
  StoredEvent,
} from './port.ts';
import type { iterations, jobAttempts, runEvents, runs } from './schema.ts';

export function runValues(run: NewRun, nowMs: number): typeof runs.$inferInsert {
  const { identity, ...rest } = run;
  const { name: templateName, steps } = run.template;
  const queues = steps.length > 0 ? asyncQueues(run.template) : null;
  return {
    ...rest,
    ...identity,
    templateName,
    queues,
    status: 'PENDING',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

/** What the store alone knows of a run stays with it. */
export function runOf(row: typeof runs.$inferSelect): RunRecord {
  const {
    seed,
    namespace,
    clockStartMs,
    uidRoot,
    templateName,
    queues,
    fence,
    runnerId,
    leaseExpiresAtMs,
    ...rest
  } = row;
  return { ...rest, identity: { seed, namespace, clockStartMs, uidRoot } };
}

export function attemptOf(row: typeof jobAttempts.$inferSelect): StoredAttempt {
  return { ...row, outcome: row.outcome as AttemptOutcome };
}

export function eventOf(row: typeof runEvents.$inferSelect): StoredEvent {
  return { ...row, status: row.status as EventStatus };
}

export function iterationOf(row: typeof iterations.$inferSelect): IterationRow {
  return {
    runId: row.runId,
    iteration: row.iteration,
    outcome: row.outcome as IterationOutcome,
    failedStep: row.failedStep,
    errorCode: row.errorCode,
    error: row.error,
    endedAtMs: row.endedAtMs,
    responseUs: row.responseUs,
    sutUs: row.sutUs,
    ownUs: row.ownUs,
    patientId: row.patientId,
    accessionNumber: row.accessionNumber,
    studyInstanceUids: row.studyInstanceUids ?? [],
    dicom: {
      attemptedInstances: row.dicomAttemptedInstances,
      successInstances: row.dicomSuccessInstances,
      attemptedBytes: row.dicomAttemptedBytes,
      successBytes: row.dicomSuccessBytes,
      sendCount: row.dicomSendCount,
      sendSumUs: row.dicomSendSumUs,
      sendMinUs: row.dicomSendMinUs,
      sendMaxUs: row.dicomSendMaxUs,
      throughputSumMbps: row.dicomThroughputSumMbps,
      throughputMinMbps: row.dicomThroughputMinMbps,
      throughputMaxMbps: row.dicomThroughputMaxMbps,
      throughputCount: row.dicomThroughputCount,
    },
    digestLanes: [`${row.digest0}`, `${row.digest1}`, `${row.digest2}`, `${row.digest3}`],
    possiblyRepeated: row.possiblyRepeated,
  };
}
