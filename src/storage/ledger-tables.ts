import type { DepthRow, HealthRow, WindowRow } from '../metrics/series.ts';
import type { HandOff } from './coordination-port.ts';
import { type EncodedRows, encodeRows, type LedgerColumn } from './ledger-columns.ts';
import type { AttemptRow, EventRow, IterationRow, LedgerBatch } from './port.ts';
import { ITERATION_SUMS, SETTLING_SUMS } from './run-sums.ts';
import { HAND_OFFS_A_PAGE } from './schema-columns.ts';

/** Keys of a row whose values are columns as they stand. */
type Plain<Row> = {
  [K in keyof Row]: Row[K] extends string | number | boolean | null ? K : never;
}[keyof Row] &
  string;

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function column<Row>(key: Plain<Row>, type: LedgerColumn<Row>['type']): LedgerColumn<Row> {
  return { name: snakeCase(key), type, read: (row) => row[key] as string | number | boolean | null };
}

function derived<Row>(
  name: string,
  type: LedgerColumn<Row>['type'],
  read: LedgerColumn<Row>['read'],
): LedgerColumn<Row> {
  return { name, type, read };
}

/** A bit for each iteration of a page. */
interface HandedOffPage {
  runId: number;
  page: number;
  iterations: string;
}

export const HANDED_OFF_COLUMNS: readonly LedgerColumn<HandedOffPage>[] = [
  column('runId', 'int8'),
  column('page', 'int4'),
  column('iterations', `bit(${HAND_OFFS_A_PAGE})` as const),
];

export const ATTEMPT_COLUMNS: readonly LedgerColumn<AttemptRow>[] = [
  column('runId', 'int8'),
  column('jobId', 'uuid'),
  column('attempt', 'int4'),
  column('queue', 'text'),
  column('jobType', 'text'),
  column('outcome', 'text'),
  column('errorCode', 'text'),
  column('error', 'text'),
  column('durationUs', 'int8'),
  column('queueWaitUs', 'int8'),
  column('stepsExecuted', 'int4'),
  column('remainingSteps', 'int4'),
  column('patientIteration', 'int4'),
  column('repeatIteration', 'int4'),
  column('workerId', 'text'),
  column('possiblyRepeated', 'bool'),
  column('createdAtMs', 'int8'),
];

export const ITERATION_COLUMNS: readonly LedgerColumn<IterationRow>[] = [
  column('runId', 'int8'),
  column('iteration', 'int4'),
  column('outcome', 'text'),
  column('failedStep', 'int4'),
  column('errorCode', 'text'),
  column('error', 'text'),
  column('endedAtMs', 'int8'),
  column('responseUs', 'int8'),
  column('sutUs', 'int8'),
  column('ownUs', 'int8'),
  column('patientId', 'text'),
  column('accessionNumber', 'text'),
  derived('study_instance_uids', 'text[]', (row) =>
    row.studyInstanceUids.length === 0 ? null : row.studyInstanceUids,
  ),
  derived('dicom_attempted_instances', 'int8', (row) => row.dicom.attemptedInstances),
  derived('dicom_success_instances', 'int8', (row) => row.dicom.successInstances),
  derived('dicom_attempted_bytes', 'int8', (row) => row.dicom.attemptedBytes),
  derived('dicom_success_bytes', 'int8', (row) => row.dicom.successBytes),
  derived('dicom_send_count', 'int8', (row) => row.dicom.sendCount),
  derived('dicom_send_sum_us', 'int8', (row) => row.dicom.sendSumUs),
  derived('dicom_send_min_us', 'int8', (row) => row.dicom.sendMinUs),
  derived('dicom_send_max_us', 'int8', (row) => row.dicom.sendMaxUs),
  derived('dicom_throughput_sum_mbps', 'float8', (row) => row.dicom.throughputSumMbps),
  derived('dicom_throughput_min_mbps', 'float8', (row) => row.dicom.throughputMinMbps),
  derived('dicom_throughput_max_mbps', 'float8', (row) => row.dicom.throughputMaxMbps),
  derived('dicom_throughput_count', 'int8', (row) => row.dicom.throughputCount),
  derived('digest0', 'int8', (row) => row.digestLanes[0]),
  derived('digest1', 'int8', (row) => row.digestLanes[1]),
  derived('digest2', 'int8', (row) => row.digestLanes[2]),
  derived('digest3', 'int8', (row) => row.digestLanes[3]),
  column('possiblyRepeated', 'bool'),
];

export const EVENT_COLUMNS: readonly LedgerColumn<EventRow>[] = [
  column('runId', 'int8'),
  column('timestampMs', 'int8'),
  column('stepOrder', 'int4'),
  column('iteration', 'int4'),
  column('status', 'text'),
  column('details', 'text'),
];

export const WINDOW_COLUMNS: readonly LedgerColumn<WindowRow>[] = [
  column('runId', 'int8'),
  column('second', 'int8'),
  column('series', 'text'),
  column('processId', 'text'),
  column('okCount', 'int8'),
  column('okSumUs', 'int8'),
  column('okMinUs', 'int8'),
  column('okMaxUs', 'int8'),
  column('okLastUs', 'int8'),
  column('failedCount', 'int8'),
  column('failedSumUs', 'int8'),
  column('failedMinUs', 'int8'),
  column('failedMaxUs', 'int8'),
  column('bytes', 'int8'),
  derived('ok_histogram', 'text', (row) => row.okHistogram),
  derived('failed_histogram', 'text', (row) => row.failedHistogram),
];

export const HEALTH_COLUMNS: readonly LedgerColumn<HealthRow>[] = [
  column('runId', 'int8'),
  column('second', 'int8'),
  column('processId', 'text'),
  column('cpuShare', 'float8'),
  column('loopDelayP99Us', 'int8'),
  column('loopDelayMaxUs', 'int8'),
  column('rssBytes', 'int8'),
  column('heapUsedBytes', 'int8'),
  column('externalBytes', 'int8'),
];

export const DEPTH_COLUMNS: readonly LedgerColumn<DepthRow>[] = [
  column('runId', 'int8'),
  column('second', 'int8'),
  column('queue', 'text'),
  column('ready', 'int4'),
  column('unacknowledged', 'int4'),
  column('consumers', 'int4'),
];

/** A batch as the database and the storage thread take it; null where there are no rows. */
export type EncodedLedger = { [K in keyof LedgerBatch]: EncodedRows | null };

/**
 * Costs the calling thread a few microseconds a row.
 * @param addsUp whether rows are added up too; a database that others write to does that by itself. @default true
 */
export function encodeLedger(batch: LedgerBatch, addsUp = true): EncodedLedger {
  return {
    handedOff: encodeHandOffs(batch.handedOff),
    attempts: encodeRows(batch.attempts, ATTEMPT_COLUMNS, addsUp ? SETTLING_SUMS : []),
    iterations: encodeRows(batch.iterations, ITERATION_COLUMNS, addsUp ? ITERATION_SUMS : []),
    events: encodeRows(batch.events, EVENT_COLUMNS),
    windows: encodeRows(batch.windows, WINDOW_COLUMNS),
    health: encodeRows(batch.health, HEALTH_COLUMNS),
    depths: encodeRows(lastSamples(batch.depths), DEPTH_COLUMNS),
  };
}

function handedOffPages(handOffs: readonly HandOff[]): HandedOffPage[] {
  const pages = new Map<string, { runId: number; page: number; bits: string[] }>();
  for (const { runId, iteration } of handOffs) {
    const page = Math.floor(iteration / HAND_OFFS_A_PAGE);
    const key = `${runId} ${page}`;
    let there = pages.get(key);
    if (!there) {
      there = { runId, page, bits: new Array(HAND_OFFS_A_PAGE).fill('0') };
      pages.set(key, there);
    }
    there.bits[iteration % HAND_OFFS_A_PAGE] = '1';
  }
  return [...pages.values()].map(({ runId, page, bits }) => ({ runId, page, iterations: bits.join('') }));
}

/** A row for each page that they are in. */
export function encodeHandOffs(handOffs: readonly HandOff[]): EncodedRows | null {
  return encodeRows(handedOffPages(handOffs), HANDED_OFF_COLUMNS);
}

/** One statement may write a row once. */
function lastSamples(depths: readonly DepthRow[]): DepthRow[] {
  return [...new Map(depths.map((row) => [`${row.runId} ${row.second} ${row.queue}`, row])).values()];
}
