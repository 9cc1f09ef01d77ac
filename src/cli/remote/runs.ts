import { YeeterError } from '../../lib/errors.ts';
import {
  ANYTHING,
  isFinal,
  MESSAGE,
  RUN_DETAIL,
  RUN_METRICS,
  RUN_STARTED,
  RUN_STATS,
  RUNS,
  type RunStats,
} from './answers.ts';
import type { ApiClient } from './http.ts';
import { describe, type OutputFormat, printJson, printListing, printRow, say, tableOf } from './output.ts';
import { printable, printableJson } from './printable.ts';
import { eventLine } from './run-display.ts';
import { openClient, type ServerFlags } from './session.ts';
import { templateId } from './templates.ts';

const runPath = (id: number): string => `/api/simulator/runs/${id}`;

export async function listRuns(
  flags: ServerFlags & { format: OutputFormat; all: boolean; limit?: number; status?: string },
): Promise<void> {
  const client = await openClient(flags);
  const { all, limit, status } = flags;
  const query = { limit, status, all: all || undefined };
  const sent = await client.json(RUNS, { path: '/api/simulator/runs', query });
  // Older servers send all there is.
  const runs = sent.filter((run) => status === undefined || run.status === status).slice(0, limit);
  const columns = [
    'id',
    ...(all ? ['username'] : []),
    'status',
    'template_id',
    'template_name',
    'patient_count',
    'started_at',
    'completed_at',
  ];
  const empty = all
    ? 'there are no such runs'
    : 'no such runs of yours: administrators see those of everybody and of bench by "runs list --all"';
  await printListing({ raw: runs, rows: runs, columns, empty }, flags.format);
}

export interface StartFlags extends ServerFlags {
  format: OutputFormat | 'message';
  /** Whether what becomes of it is shown after that: a CSV is of that alone. */
  isFollowed: boolean;
  patients: number;
  seed?: number;
  concurrency?: number;
  onFailure?: string;
  tag: readonly string[];
}

/** @param named id or name of a template @returns the run's id */
export async function startRun(client: ApiClient, named: string, flags: StartFlags): Promise<number> {
  const id = await templateId(client, named);
  const { patients, seed, concurrency, onFailure, tag } = flags;
  const { run_id: runId, message } = await client.json(RUN_STARTED, {
    method: 'POST',
    path: '/api/simulator/run',
    body: {
      template_id: id,
      patient_count: patients,
      ...(seed === undefined ? {} : { seed }),
      ...(concurrency === undefined ? {} : { load: { concurrency } }),
      ...(onFailure === undefined ? {} : { on_failure: onFailure }),
      ...(tag.length === 0 ? {} : { tags: tag }),
    },
  });
  const started = { run_id: runId, template_id: id, patient_count: patients, message: message ?? null };
  if (flags.format === 'json') say(printableJson(started, 0));
  else if (flags.format !== 'csv') say(`run ${runId} is accepted: template ${id}, ${patients} patients`);
  else if (!flags.isFollowed) await printRow(started, 'csv');
  return runId;
}

export async function cancelRun(runId: number, flags: ServerFlags & { format: OutputFormat }): Promise<void> {
  const client = await openClient(flags);
  const { message } = await client.json(MESSAGE, {
    method: 'POST',
    path: `${runPath(runId)}/cancel`,
    body: {},
  });
  const text = printable(message || 'Cancellation requested.');
  if (flags.format === 'table') say(text);
  else await printRow({ run_id: runId, message: text }, flags.format);
}

export async function showRun(
  runId: number,
  flags: ServerFlags & { format: OutputFormat; events: number },
): Promise<void> {
  const client = await openClient(flags);
  const run = await client.json(RUN_DETAIL, {
    path: runPath(runId),
    query: { events_limit: Math.max(1, flags.events) },
  });
  const metrics = await client.json(RUN_METRICS, {
    path: `${runPath(runId)}/metrics`,
    query: { jobs_limit: 1, series_points: 0 },
  });
  if (flags.format === 'json') return printJson({ ...run, metrics });
  const facts = {
    run: run.id,
    status: run.status,
    // An older server gives no name.
    template: run.template_name ?? run.template_id,
    'template id': run.template_id,
    patients: run.patient_count,
    'completed patients': metrics.completed_patients,
    'failed patients': metrics.failed_patients,
    'cancelled patients': metrics.cancelled_patients,
    'possibly repeated': metrics.possibly_repeated_count,
    duplicates: metrics.duplicate_count,
    started: run.started_at,
    completed: run.completed_at,
    jobs: metrics.queued_job_count,
    'jobs done': metrics.worker_job_success_count,
    'average ms a job': metrics.worker_job_duration_avg_ms,
    'orders per second': metrics.orders_per_second,
    events: run.events_total,
  };
  if (flags.format === 'csv') {
    const named = Object.entries(facts).map(([name, value]) => [name.replaceAll(' ', '_'), value] as const);
    return await printRow(Object.fromEntries(named), 'csv');
  }
  say(describe(Object.entries(facts)));
  const { series = [], failures = [] } = metrics;
  if (series.length > 0) say(`\n${tableOf(series, SERIES_COLUMNS)}`);
  if (failures.length > 0) say(`\n${tableOf(failures, ['code', 'count', 'failed_step', 'message'])}`);
  const events = flags.events === 0 ? [] : run.events.slice(-flags.events);
  if (events.length > 0) say(`\n${events.map(eventLine).join('\n')}`);
}

const SERIES_COLUMNS = [
  'series',
  'count',
  'failures',
  'rate_per_second',
  'avg_ms',
  'p50_ms',
  'p95_ms',
  'p99_ms',
  'max_ms',
];

export async function runStats(runId: number, flags: ServerFlags & { format: OutputFormat }): Promise<void> {
  const client = await openClient(flags);
  const stats = await client.json(RUN_STATS, { path: `${runPath(runId)}/stats` });
  switch (flags.format) {
    case 'json':
      return printJson(stats);
    case 'csv': {
      const rows = METRICS.map((metric) => ({ metric, value: stats[metric] }));
      const columns = ['metric', 'value'];
      await printListing({ raw: stats, rows, columns, empty: '' }, 'csv');
      process.stdout.write('\r\n');
      return printListing({ raw: stats, rows: stats.steps, columns: STEP_COLUMNS, empty: '' }, 'csv');
    }
    case 'table':
      return printStats(stats);
    default:
      return flags.format satisfies never;
  }
}

const METRICS = [
  'run_id',
  'status',
  'patient_count',
  'started_at',
  'completed_at',
  'duration_seconds',
  'total_events',
  'success_events',
  'failure_events',
  'warning_events',
  'info_events',
  'debug_events',
  'unique_steps',
  'max_iteration',
  'last_failure',
] as const satisfies readonly (keyof RunStats)[];

const STEP_COLUMNS = [
  'step_order',
  'total_events',
  'success_events',
  'failure_events',
  'warning_events',
  'info_events',
];

const DURATION_COLUMNS = [
  'step_type',
  'step_order',
  'count',
  'avg_ms',
  'min_ms',
  'max_ms',
  'last_ms',
  'total_ms',
];

function printStats(stats: RunStats): void {
  say(describe(METRICS.map((metric) => [metric.replaceAll('_', ' '), stats[metric]])));
  if (stats.steps.length > 0) say(`\n${tableOf(stats.steps, STEP_COLUMNS)}`);
  const durations = stats.step_duration_summary;
  if (durations.length > 0) say(`\n${tableOf(durations, DURATION_COLUMNS)}`);
}

export async function deleteRun(runId: number, flags: ServerFlags): Promise<void> {
  const client = await openClient(flags);
  await client.json(ANYTHING, { method: 'DELETE', path: runPath(runId) });
  say(`run ${runId} is deleted; if it was under way, it is cancelled first`);
}

/** @throws {YeeterError} USAGE when nobody said that it is meant */
export async function deleteAllRuns(flags: ServerFlags & { yes: boolean }): Promise<void> {
  const client = await openClient(flags);
  const runs = await client.json(RUNS, { path: '/api/simulator/runs' });
  const active = runs.filter(({ status }) => !isFinal(status)).length;
  const what = `${runs.length} runs with their metrics, of which ${active} are under way`;
  if (!flags.yes) throw new YeeterError('USAGE', `this deletes ${what}: add --yes when that is meant`);
  await client.json(ANYTHING, { method: 'DELETE', path: '/api/simulator/runs' });
  say(`deleted ${what}`);
}
