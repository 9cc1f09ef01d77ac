import { arch, cpus, release, totalmem } from 'node:os';
import type { HealthRow } from '../metrics/series.ts';
import { type SeriesSummary, summariseSeries } from '../metrics/series-summary.ts';
import type { RunTotals } from '../metrics/totals.ts';
import type { EmbeddedEnd } from '../roles/embedded.ts';
import type { SinkCounts } from '../roles/sink-process.ts';
import type { RunRecord, StoragePort } from '../storage/port.ts';
import type { ResolvedEndpoints } from './bench-endpoints.ts';

/** Everything that is said about a finished run, on the screen and in its files. */
export interface RunReport {
  run: RunRecord;
  totals: RunTotals;
  summaries: readonly SeriesSummary[];
  seconds: number;
  health: readonly HealthRow[];
  sinkNames: readonly string[];
  sinkCounts: SinkCounts | null;
  /** Why the ledger is not complete, and what the engine counted; null when it is. */
  fault: (NonNullable<EmbeddedEnd['fault']> & { counted: Counted }) | null;
  /** Of the engine's thread at its end; null where it ran elsewhere. */
  memory: EmbeddedEnd['memory'];
  /** What `run.json` holds. */
  json: Readonly<Record<string, unknown>>;
}

type Counted = Pick<EmbeddedEnd['progress'], 'started' | 'completed' | 'failed' | 'cancelled'>;

export interface ReportSources {
  resolved: ResolvedEndpoints;
  sinkCounts: SinkCounts | null;
  ended: EmbeddedEnd;
}

export async function createRunReport(
  store: StoragePort,
  runId: number,
  { resolved, sinkCounts, ended }: ReportSources,
): Promise<RunReport> {
  const stored = await store.getRun(runId);
  // A ledger that failed could not take the end of the run either.
  const run: RunRecord = ended.fault && !ended.fault.accountsKept ? { ...stored, status: 'ERROR' } : stored;
  const totals = await store.runTotals(runId);
  const health = await store.readHealth(runId);
  const endMs = run.completedAtMs ?? Date.now();
  const seconds = Math.max(0.001, (endMs - (run.startedAtMs ?? endMs)) / 1000);
  const summaries = totals.series.map((series) => summariseSeries(series, seconds));
  const partial = {
    run,
    totals,
    summaries,
    seconds,
    health,
    sinkNames: resolved.sinkNames,
    sinkCounts,
    memory: ended.memory,
    fault: ended.fault && { ...ended.fault, counted: countedBy(ended) },
  };
  return { ...partial, json: runJson(partial, resolved) };
}

function countedBy({ progress }: EmbeddedEnd): Counted {
  const { started, completed, failed, cancelled } = progress;
  return { started, completed, failed, cancelled };
}

type Partial = Omit<RunReport, 'json'>;

function runJson(report: Partial, resolved: ResolvedEndpoints): Record<string, unknown> {
  const { run, totals } = report;
  const { series, manifestSha256, failures, ...counts } = totals;
  return {
    run_id: run.id,
    status: run.status,
    started_at: isoTime(run.startedAtMs),
    completed_at: isoTime(run.completedAtMs),
    duration_seconds: report.seconds,
    patient_count: run.patientCount,
    started_iterations: run.startedIterations,
    concurrency: run.concurrency,
    on_failure: run.onFailure,
    seed: run.identity.seed,
    namespace: run.identity.namespace,
    clock_start: isoTime(run.identity.clockStartMs),
    uid_root: run.identity.uidRoot,
    manifest_sha256: manifestSha256,
    totals: snakeKeys(counts),
    failures: failures.map(snakeKeys),
    series: report.summaries.map((summary, at) => ({
      ...(snakeKeys(summary) as object),
      ok_histogram: series[at]!.okHistogram,
      failed_histogram: series[at]!.failedHistogram,
    })),
    histogram_encoding: 'HdrHistogram V2 compressed, base64, microseconds',
    endpoints: Object.values(resolved.endpoints).map((endpoint) => ({
      ...(snakeKeys(endpoint) as object),
      built_in_sink: resolved.sinkNames.includes(endpoint.name),
    })),
    sink_counts: report.sinkCounts && snakeKeys(report.sinkCounts),
    generator_health: snakeKeys(healthSummary(report.health)),
    engine_memory: report.memory && snakeKeys(report.memory),
    environment: environment(),
    fault: report.fault,
    template: snakeKeys(run.template),
  };
}

export interface HealthSummary {
  cpuShareMean: number | null;
  loopDelayP99Us: number | null;
  loopDelayMaxUs: number | null;
  rssMaxBytes: number | null;
}

/** How the generator itself was: a slow generator measures itself. */
export function healthSummary(rows: readonly HealthRow[]): HealthSummary {
  if (rows.length === 0) {
    return { cpuShareMean: null, loopDelayP99Us: null, loopDelayMaxUs: null, rssMaxBytes: null };
  }
  return {
    cpuShareMean: rows.reduce((sum, row) => sum + row.cpuShare, 0) / rows.length,
    loopDelayP99Us: Math.max(...rows.map((row) => row.loopDelayP99Us)),
    loopDelayMaxUs: Math.max(...rows.map((row) => row.loopDelayMaxUs)),
    rssMaxBytes: Math.max(...rows.map((row) => row.rssBytes)),
  };
}

function environment(): Record<string, unknown> {
  const processors = cpus();
  return {
    node: process.version,
    platform: process.platform,
    release: release(),
    arch: arch(),
    cpu_model: processors[0]?.model ?? null,
    cpu_count: processors.length,
    memory_bytes: totalmem(),
  };
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** JSON is snake_case: the one mapper for what has no shape of its own in the contract. */
function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
      snakeKeys(inner),
    ]),
  );
}
