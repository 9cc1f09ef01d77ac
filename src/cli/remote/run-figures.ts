import { RUN_METRICS, RUN_STATS } from './answers.ts';
import type { ApiClient } from './http.ts';
import type { LiveProgress } from './live-link.ts';

/** How far a run is; null where it is not known. */
export interface RunFigures {
  patients: number;
  /** Highest number of a patient that has begun. */
  patientsBegun: number;
  jobs: number;
  jobsDone: number;
  failures: number;
  queueDepth: number | null;
  workers: number | null;
  averageJobMs: number | null;
}

export async function readFigures(
  client: ApiClient,
  runId: number,
  signal?: AbortSignal,
): Promise<RunFigures> {
  const path = `/api/simulator/runs/${runId}`;
  const [stats, metrics] = await Promise.all([
    client.json(RUN_STATS, { path: `${path}/stats`, signal }),
    client.json(RUN_METRICS, { path: `${path}/metrics`, query: { jobs_limit: 1, series_points: 0 }, signal }),
  ]);
  return {
    patients: stats.patient_count,
    patientsBegun: stats.max_iteration ?? 0,
    jobs: metrics.queued_job_count ?? 0,
    jobsDone: metrics.worker_job_success_count ?? 0,
    failures: stats.failure_events,
    queueDepth: metrics.queued_job_last_depth ?? null,
    workers: null,
    averageJobMs: metrics.worker_job_duration_avg_ms ?? null,
  };
}

/** What the live events say is newer. */
export function withLive(figures: RunFigures, live: LiveProgress): RunFigures {
  return {
    ...figures,
    jobs: Math.max(figures.jobs, live.queued_jobs ?? 0),
    jobsDone: Math.max(figures.jobsDone, live.completed_jobs ?? 0),
    queueDepth: live.remaining_queue_depth ?? figures.queueDepth,
    workers: live.active_workers ?? figures.workers,
    averageJobMs: live.average_processing_ms ?? figures.averageJobMs,
  };
}
