import type { z } from 'zod';
import type { CsvRow } from '../../metrics/csv.ts';
import { type RunColumn, runMetricsRow } from '../../metrics/run-row.ts';
import type { RunTotals } from '../../metrics/totals.ts';
import { type WorkerColumn, workerMetricsRow } from '../../metrics/worker-row.ts';
import type { StoredAttempt } from '../../storage/port.ts';
import type { RunSummary } from '../../storage/server-port.ts';
import type { runRow, workerRow } from '../contract/metric-rows.ts';

/** The row of the CSV file. */
export function runCsvRow(run: RunSummary, totals: RunTotals): CsvRow<RunColumn> {
  const measured = {
    ...run,
    template: { name: run.templateName },
    identity: { seed: run.seed, namespace: run.namespace },
  };
  return runMetricsRow(measured, totals, { username: run.username, templateId: run.templateId });
}

/** The same under the same names, for JSON; its columns have the types of the contract by how they are made. */
export function runJsonRow(run: RunSummary, totals: RunTotals): z.input<typeof runRow> {
  const row = runCsvRow(run, totals);
  const stepDurations = JSON.parse(String(row.step_durations)) as unknown;
  return { ...row, step_durations: stepDurations } as z.input<typeof runRow>;
}

export function workerCsvRow(attempt: StoredAttempt): CsvRow<WorkerColumn> {
  return workerMetricsRow(attempt);
}

export function workerJsonRow(attempt: StoredAttempt): z.input<typeof workerRow> {
  return workerMetricsRow(attempt) as z.input<typeof workerRow>;
}
