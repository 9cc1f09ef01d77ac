import { z } from 'zod';

/** What the commands use of the server's answers; fields that they do not know pass through. */

export const ANYTHING = z.unknown();

const time = z.string().nullish();

export const LOGIN = z.looseObject({
  access_token: z.string().min(1),
  username: z.string(),
  is_admin: z.boolean().nullish(),
});

export const TEMPLATE = z.looseObject({
  id: z.int(),
  name: z.string(),
  description: z.string().nullish(),
  created_at: time,
  steps: z.array(z.looseObject({ step_order: z.int(), step_type: z.string() })).default([]),
});
export const TEMPLATES = z.array(TEMPLATE);
export type TemplateAnswer = z.output<typeof TEMPLATE>;

const RUN = z.looseObject({
  id: z.int(),
  template_id: z.int().nullish(),
  template_name: z.string().nullish(),
  patient_count: z.int(),
  status: z.string(),
  started_patients: z.int().nullish(),
  started_at: time,
  completed_at: time,
});
export const RUNS = z.array(RUN);

export const RUN_EVENT = z.looseObject({
  id: z.int(),
  timestamp: time,
  step_order: z.int().nullish(),
  iteration: z.int().nullish(),
  status: z.string(),
  details: z.string().nullish(),
});
export type RunEvent = z.output<typeof RUN_EVENT>;

export const RUN_DETAIL = RUN.extend({ events: z.array(RUN_EVENT), events_total: z.int().nullish() });
export type RunDetail = z.output<typeof RUN_DETAIL>;

export const RUN_STARTED = z.looseObject({ run_id: z.int(), message: z.string().nullish() });
export const MESSAGE = z.looseObject({ message: z.string().nullish() });

const count = z.number().nullish();

export const RUN_STATS = z.looseObject({
  run_id: z.int(),
  patient_count: z.int(),
  status: z.string(),
  started_at: time,
  completed_at: time,
  duration_seconds: count,
  total_events: z.number(),
  success_events: z.number(),
  failure_events: z.number(),
  warning_events: z.number(),
  info_events: z.number(),
  debug_events: z.number(),
  unique_steps: count,
  max_iteration: count,
  last_failure: z.unknown().optional(),
  steps: z.array(z.looseObject({ step_order: z.int() })).default([]),
  step_duration_summary: z.array(z.looseObject({ step_order: z.int() })).default([]),
});
export type RunStats = z.output<typeof RUN_STATS>;

const rows = z.array(z.looseObject({})).optional();

/** The figures of a run that progress is made of, and what newer servers add. */
export const RUN_METRICS = z.looseObject({
  queued_job_count: count,
  queued_job_last_depth: count,
  worker_job_count: count,
  worker_job_success_count: count,
  worker_job_duration_avg_ms: count,
  completed_patients: count,
  failed_patients: count,
  cancelled_patients: count,
  possibly_repeated_count: count,
  duplicate_count: count,
  series: rows,
  failures: rows,
});

/** The event `simulation_async_progress`. */
export const LIVE_PROGRESS = z.looseObject({
  queued_jobs: count,
  completed_jobs: count,
  failed_jobs: count,
  active_workers: count,
  remaining_queue_depth: count,
  average_processing_ms: count,
});

const FINAL = ['COMPLETED', 'ERROR', 'CANCELLED', 'FAILED'];

/** Whether nothing more happens to a run; servers of all versions are understood. */
export function isFinal(status: string): boolean {
  return FINAL.includes(status);
}
