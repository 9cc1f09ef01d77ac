import { randomUUID } from 'node:crypto';
import { type DicomAccounts, noDicomAccounts } from '../../src/domain/job.ts';
import { createHistogram } from '../../src/metrics/histogram.ts';
import type { WindowRow } from '../../src/metrics/series.ts';
import type { AttemptRow, EventRow, IterationRow, LedgerBatch, NewRun } from '../../src/storage/port.ts';

/** Rows of a ledger for tests and measurements; a test changes what it is about. */

export const NO_DICOM: DicomAccounts = noDicomAccounts();

export function newRun(change: Partial<NewRun> = {}): NewRun {
  return {
    userId: null,
    templateId: null,
    template: {
      name: 'orders only',
      description: 'as "written"\u0000',
      onFailure: 'continue',
      steps: [],
      endpoints: {},
      generators: {},
      caseMix: { CT: 1 },
      returningShare: 0,
      stations: [],
    },
    identity: { seed: 2 ** 53 - 1, namespace: 3, clockStartMs: 1_790_000_000_123, uidRoot: null },
    patientCount: 10,
    concurrency: 2,
    closedModel: true,
    onFailure: 'continue',
    tags: ['a, "b"', 'ü'],
    endpoints: {
      pacs: {
        name: 'pacs',
        endpointType: 'DICOM_SCP',
        hostname: '127.0.0.1',
        port: 104,
        aeTitle: 'PACS',
        callingAeTitle: null,
      },
    },
    limits: { pacs: { maxConnections: 4, maxPerSecond: 2.5, maxBytes: null, ramp: true } },
    ...change,
  };
}

export function attemptRow(runId: number, change: Partial<AttemptRow> = {}): AttemptRow {
  return {
    jobId: randomUUID(),
    attempt: 1,
    runId,
    queue: 'yeeter.simulation.orders',
    jobType: null,
    outcome: 'success',
    errorCode: null,
    error: null,
    durationUs: 1500,
    queueWaitUs: 300,
    stepsExecuted: 2,
    remainingSteps: 0,
    patientIteration: 1,
    repeatIteration: 1,
    workerId: 'worker-1',
    possiblyRepeated: false,
    createdAtMs: 1_790_000_000_000,
    ...change,
  };
}

export function iterationRow(
  runId: number,
  iteration: number,
  change: Partial<IterationRow> = {},
): IterationRow {
  return {
    runId,
    iteration,
    outcome: 'completed',
    failedStep: null,
    errorCode: null,
    error: null,
    endedAtMs: 1_790_000_000_000 + iteration,
    responseUs: 2000,
    sutUs: 1500,
    ownUs: 500,
    patientId: `${10_000_000 + iteration}`,
    accessionNumber: `ACC${10_000_000 + iteration}`,
    studyInstanceUids: [],
    dicom: NO_DICOM,
    digestLanes: ['1', '-2', '9223372036854775807', '-9223372036854775808'],
    possiblyRepeated: false,
    ...change,
  };
}

export function eventRow(runId: number, change: Partial<EventRow> = {}): EventRow {
  return {
    runId,
    timestampMs: 1_790_000_000_000,
    stepOrder: 1,
    iteration: 1,
    status: 'SUCCESS',
    details: 'message acknowledged',
    ...change,
  };
}

export function windowRow(runId: number, second: number, change: Partial<WindowRow> = {}): WindowRow {
  const histogram = createHistogram();
  histogram.record(100);
  histogram.record(300);
  return {
    runId,
    series: 'order_ack',
    processId: 'p1',
    second,
    okCount: 2,
    okSumUs: 400,
    okMinUs: 100,
    okMaxUs: 300,
    okLastUs: 200,
    failedCount: 0,
    failedSumUs: 0,
    failedMinUs: null,
    failedMaxUs: null,
    bytes: 10,
    okHistogram: histogram.encode(),
    failedHistogram: null,
    ...change,
  };
}

export function batchOf(rows: Partial<LedgerBatch>): LedgerBatch {
  return {
    handedOff: [],
    attempts: [],
    iterations: [],
    events: [],
    windows: [],
    health: [],
    depths: [],
    ...rows,
  };
}
