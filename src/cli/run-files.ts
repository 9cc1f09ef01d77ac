import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { YeeterError } from '../lib/errors.ts';
import { type CsvRow, writeCsv } from '../metrics/csv.ts';
import { RUN_CSV_COLUMNS, runMetricsRow } from '../metrics/run-row.ts';
import { WINDOW_CSV_COLUMNS, windowMetricsRows } from '../metrics/window-row.ts';
import { WORKER_CSV_COLUMNS, workerMetricsRow } from '../metrics/worker-row.ts';
import { allAttempts, allIterations, allWindows } from '../storage/all-rows.ts';
import type { StoragePort } from '../storage/port.ts';
import type { RunReport } from './run-report.ts';

/** What was sent and may have to be taken away from the receivers again. */
const PURGE_COLUMNS = [
  'iteration',
  'outcome',
  'patient_id',
  'accession_number',
  'study_instance_uid',
] as const;

/**
 * Writes `run.json`, `runs.csv`, `jobs.csv` (a row an attempt), `windows.csv` (a row a second and series) and
 * `purge.csv` (a row a patient and study), a page of rows in memory at a time.
 * @throws {YeeterError} DISK_FULL, STORAGE_FAILED
 */
export async function writeRunFiles(store: StoragePort, report: RunReport, outDir: string): Promise<void> {
  const { run, totals } = report;
  const inOut = (name: string): string => join(outDir, name);
  try {
    await writeFile(inOut('run.json'), `${JSON.stringify(report.json, null, 2)}\n`);
    await writeCsv(inOut('runs.csv'), RUN_CSV_COLUMNS, [runMetricsRow(run, totals)]);
    await writeCsv(inOut('jobs.csv'), WORKER_CSV_COLUMNS, attemptRows(store, run.id));
    await writeCsv(inOut('windows.csv'), WINDOW_CSV_COLUMNS, windowMetricsRows(allWindows(store, run.id)));
    await writeCsv(inOut('purge.csv'), PURGE_COLUMNS, purgeRows(store, run.id));
  } catch (cause) {
    if (cause instanceof YeeterError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = `the files of run ${run.id} could not be written to ${outDir}: ${message}`;
    throw new YeeterError(code === 'ENOSPC' ? 'DISK_FULL' : 'STORAGE_FAILED', what, { cause });
  }
}

async function* attemptRows(
  store: StoragePort,
  runId: number,
): AsyncGenerator<ReturnType<typeof workerMetricsRow>> {
  for await (const attempt of allAttempts(store, runId)) yield workerMetricsRow(attempt);
}

async function* purgeRows(
  store: StoragePort,
  runId: number,
): AsyncGenerator<CsvRow<(typeof PURGE_COLUMNS)[number]>> {
  for await (const row of allIterations(store, runId)) {
    const uids = row.studyInstanceUids.length > 0 ? row.studyInstanceUids : [null];
    for (const uid of uids) {
      yield {
        iteration: row.iteration,
        outcome: row.outcome,
        patient_id: row.patientId,
        accession_number: row.accessionNumber,
        study_instance_uid: uid,
      };
    }
  }
}
