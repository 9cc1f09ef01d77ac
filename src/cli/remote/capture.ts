import { join } from 'node:path';
import type { RunDetail } from './answers.ts';
import { csvRecords } from './csv-records.ts';
import { saveTo } from './file-download.ts';
import type { ApiClient } from './http.ts';

/** Jobs that the server puts into the JSON at most; the CSV has all of them. */
const JSON_JOBS = 2000;

/**
 * Stores the metrics of a run as the server serves them: `run-<id>-metrics.json`, `run-<id>-run-metrics.csv` (the row
 * of the run) and `run-<id>-worker-metrics.csv` (a row an attempt).
 * @returns the paths
 */
export async function captureMetrics(client: ApiClient, run: RunDetail, dir: string): Promise<string[]> {
  const named = (what: string): string => join(dir, `run-${run.id}-${what}`);
  const json = await client.download({
    path: `/api/simulator/runs/${run.id}/metrics`,
    query: { jobs_limit: JSON_JOBS },
  });
  await saveTo(named('metrics.json'), json, client.apiUrl);

  // Servers that have no filter for one run list those of its template from its start on, which are few.
  const runs = await client.download({
    path: '/api/metrics/runs',
    query: { format: 'csv', run_id: run.id, template_id: run.template_id, start_at: run.started_at },
  });
  const own = Buffer.from(`${run.id},`);
  const row = csvRecords((record, index) => index === 0 || record.subarray(0, own.length).equals(own));
  await saveTo(named('run-metrics.csv'), runs, client.apiUrl, row);

  const jobs = await client.download({
    path: '/api/metrics/workers',
    query: { format: 'csv', run_id: run.id },
  });
  await saveTo(named('worker-metrics.csv'), jobs, client.apiUrl);
  return ['metrics.json', 'run-metrics.csv', 'worker-metrics.csv'].map(named);
}
