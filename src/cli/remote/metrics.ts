import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { saveTo } from './file-download.ts';
import { type ApiClient, type Query, unreachable } from './http.ts';
import { type OutputFormat, printJson, say, tableOf } from './output.ts';
import { openClient, type ServerFlags } from './session.ts';

const ROWS = z.array(z.looseObject({}));
const SUMMARY = z.looseObject({});

interface Report {
  path: string;
  answer: z.ZodType<{ summary?: Record<string, unknown>; rows: Record<string, unknown>[] }>;
  columns: readonly string[];
  empty: string;
}

export const RUN_REPORT: Report = {
  path: '/api/metrics/runs',
  answer: z
    .object({ summary: SUMMARY, runs: ROWS })
    .transform(({ summary, runs }) => ({ summary, rows: runs })),
  columns: [
    'run_id',
    'template_name',
    'status',
    'started_at',
    'total_patients',
    'worker_job_count',
    'dicom_success_instances',
    'wall_clock_seconds',
    'orders_per_second',
  ],
  empty: 'no run fits',
};

export const WORKER_REPORT: Report = {
  path: '/api/metrics/workers',
  answer: z
    .object({ summary: SUMMARY, metrics: ROWS })
    .transform(({ summary, metrics }) => ({ summary, rows: metrics })),
  columns: ['id', 'run_id', 'queue', 'outcome', 'duration_ms', 'patient_iteration', 'created_at', 'error'],
  empty: 'no attempt fits',
};

export const DECISION_REPORT: Report = {
  path: '/api/admin/scaling/decisions',
  answer: z
    .union([ROWS, z.object({ decisions: ROWS }).transform(({ decisions }) => decisions)])
    .transform((rows) => ({ rows })),
  columns: [
    'at',
    'action',
    'actor',
    'queue_depth',
    'current_replicas',
    'target_replicas',
    'applied',
    'reason',
    'error',
  ],
  empty: 'no decision fits',
};

export interface ReportFlags extends ServerFlags {
  format: OutputFormat;
  out?: string;
}

/** Prints a report of the server, or stores it; its CSV and JSON go byte for byte where they are not shown. */
export async function printReport(report: Report, query: Query, flags: ReportFlags): Promise<void> {
  const client = await openClient(flags);
  const { path } = report;
  if (flags.format === 'csv') return passOn(client, path, { ...query, format: 'csv' }, flags.out);
  if (flags.out !== undefined) return passOn(client, path, query, flags.out);
  if (flags.format === 'json') return printJson(await client.json(z.unknown(), { path, query }));
  const { summary, rows } = await client.json(report.answer, { path, query });
  say(rows.length === 0 ? report.empty : tableOf(rows, report.columns));
  if (summary !== undefined && rows.length > 0) {
    const parts = Object.entries(summary).map(
      ([name, value]) => `${name.replaceAll('_', ' ')} ${value ?? '-'}`,
    );
    say(`\n${parts.join(' | ')}`);
  }
}

async function passOn(client: ApiClient, path: string, query: Query, out?: string): Promise<void> {
  const bytes = await client.download({ path, query });
  if (out !== undefined) {
    await saveTo(out, bytes, client.apiUrl);
    process.stderr.write(`${out}\n`);
    return;
  }
  try {
    await pipeline(bytes, process.stdout, { end: false });
  } catch (error) {
    throw unreachable(error as Error, client.apiUrl);
  }
}
