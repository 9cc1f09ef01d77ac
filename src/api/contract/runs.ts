import { z } from 'zod';
import { RUN_STATUSES } from '../../domain/run-state.ts';
import { expects, integer, line, oneOf } from '../../domain/schema-fields.ts';
import { ON_FAILURE } from '../../domain/template.ts';
import {
  beforeId,
  count,
  figure,
  id,
  idParams,
  limit,
  objectId,
  offset,
  queryFlag,
  text,
  time,
} from './fields.ts';
import { runRow, workerRow } from './metric-rows.ts';
import { json, messageSchema, NOTHING, route } from './route.ts';

const order = oneOf(['asc', 'desc']);

const MAX_PATIENTS = 100_000_000;

const runFields = {
  id: objectId,
  user_id: objectId.nullable(),
  template_id: objectId.nullable(),
  patient_count: count,
  status: z.enum(RUN_STATUSES),
  started_at: time.nullable(),
  completed_at: time.nullable(),
};

const addedRunFields = {
  template_name: text,
  tags: z.array(text),
  seed: z.int(),
  namespace: z.int(),
  started_patients: count,
  created_at: time,
  username: text.nullable(),
};

const run = z.object({ ...runFields, ...addedRunFields });

const event = z.object({
  id: objectId,
  timestamp: time,
  step_order: z.int(),
  iteration: count,
  status: text,
  details: text,
});

const eventCounts = {
  total_events: count,
  success_events: count,
  failure_events: count,
  warning_events: count,
  info_events: count,
};

const ms = figure.nullable();

const stats = z.object({
  run_id: objectId,
  user_id: objectId.nullable(),
  template_id: objectId.nullable(),
  patient_count: count,
  status: z.enum(RUN_STATUSES),
  started_at: time.nullable(),
  completed_at: time.nullable(),
  duration_seconds: figure.nullable(),
  first_event_at: time.nullable(),
  last_event_at: time.nullable(),
  ...eventCounts,
  debug_events: count,
  unique_steps: count,
  max_iteration: count,
  last_failure: event.nullable(),
  steps: z.array(z.object({ step_order: z.int(), ...eventCounts, debug_events: count })),
  step_duration_summary: z.array(
    z.object({
      step_order: z.int(),
      step_type: text,
      count,
      total_ms: ms,
      avg_ms: ms,
      min_ms: ms,
      max_ms: ms,
      last_ms: ms,
    }),
  ),
});

const seriesRow = z.object({
  series: text,
  count,
  failures: count,
  rate_per_second: figure.nullable(),
  min_ms: ms,
  avg_ms: ms,
  p50_ms: ms,
  p90_ms: ms,
  p95_ms: ms,
  p99_ms: ms,
  p999_ms: ms,
  max_ms: ms,
  failed_avg_ms: ms,
  failed_max_ms: ms,
  bytes: count,
});

const seriesPoint = z.object({
  at: time,
  count,
  failures: count,
  avg_ms: ms,
  max_ms: ms,
  bytes: count,
  p50_ms: ms.optional(),
  p95_ms: ms.optional(),
  p99_ms: ms.optional(),
});

const metrics = runRow.extend({
  worker_jobs: z.array(workerRow),
  worker_jobs_limit: count,
  worker_jobs_offset: count,
  worker_jobs_order: order,
  worker_jobs_total: count,
  worker_jobs_returned: count,
  worker_jobs_remaining: count,
  worker_jobs_truncated: z.boolean(),
  series: z.array(seriesRow),
  workers: z.array(
    z.object({
      worker_id: text,
      job_count: count,
      success_count: count,
      busy_ms: figure,
      /** Time handled by the time from its first job to its last; above 1 it handled several at once. */
      utilisation: figure.nullable(),
      jobs_per_second: figure.nullable(),
      first_job_at: time,
      last_job_at: time,
    }),
  ),
  failures: z.array(z.object({ code: text, message: text, count, failed_step: z.int().nullable() })),
  time_series: z.object({
    /** Width of a point. */
    bucket_seconds: count,
    series: z.record(z.string(), z.array(seriesPoint)),
  }),
  queue_depths: z.array(
    z.object({ queue: text, at: time, ready: count, unacknowledged: count, consumers: count }),
  ),
});

const patientCount = integer(1, MAX_PATIENTS).default(1);

const loadIn = z.object(
  { concurrency: integer(1, 4096).default(1) },
  { error: expects('concurrency, the patients at a time') },
);

const startOptions = {
  patient_count: patientCount,
  seed: integer(0, Number.MAX_SAFE_INTEGER).nullish(),
  load: loadIn.nullish(),
  on_failure: oneOf(ON_FAILURE).nullish(),
  tags: z
    .array(line(100), { error: expects('a list of words') })
    .max(20, { error: 'must hold at most 20 tags' })
    .nullish(),
};

export const runRoutes = {
  startRun: route({
    method: 'POST',
    path: '/api/simulator/run',
    tag: 'Runs',
    summary: 'Starts a run of a template',
    who: 'user',
    body: z.object({ template_id: id(), ...startOptions }),
    answers: { 202: json('The run waits for a runner.', messageSchema.extend({ run_id: objectId })) },
    errors: { 403: 'The target guard refuses an endpoint (TARGET_REFUSED).' },
  }),
  startRunOfTemplate: route({
    method: 'POST',
    path: '/api/v1/runs/:template_id',
    tag: 'Runs',
    summary: 'Starts a run of a template, as benchmark scripts do',
    who: 'user',
    params: z.object({ template_id: id() }),
    body: z.object(startOptions),
    answers: {
      202: json(
        'The run waits for a runner.',
        messageSchema.extend({
          run_id: objectId,
          template_id: objectId,
          patient_count: count,
          status_url: text,
        }),
      ),
    },
    errors: { 403: 'The target guard refuses an endpoint (TARGET_REFUSED).' },
  }),
  listRuns: route({
    method: 'GET',
    path: '/api/simulator/runs',
    tag: 'Runs',
    summary: 'Your runs, newest first; with `all` those of everybody, for administrators',
    who: 'user',
    query: z.object({
      all: queryFlag().default(false),
      limit: limit(10_000, 1000),
      before_id: beforeId,
      status: oneOf(RUN_STATUSES).optional(),
      template_id: id().optional(),
    }),
    answers: { 200: json('The runs.', z.array(run)) },
  }),
  deleteRuns: route({
    method: 'DELETE',
    path: '/api/simulator/runs',
    tag: 'Runs',
    summary: 'Deletes all your runs; those that are not over are cancelled first, and go once they are over',
    who: 'user',
    answers: { 204: NOTHING },
  }),
  getRun: route({
    method: 'GET',
    path: '/api/simulator/runs/:id',
    tag: 'Runs',
    summary: 'One run with a window of its events, in ascending time',
    who: 'user',
    params: idParams,
    query: z.object({
      events_limit: limit(10_000, 2000),
      events_offset: offset,
      events_order: order.default('desc'),
    }),
    answers: {
      200: json(
        'The run.',
        z.object({
          ...runFields,
          events: z.array(event),
          events_limit: count,
          events_offset: count,
          events_order: order,
          events_total: count,
          events_returned: count,
          events_remaining: count,
          events_truncated: z.boolean(),
          ...addedRunFields,
        }),
      ),
    },
  }),
  deleteRun: route({
    method: 'DELETE',
    path: '/api/simulator/runs/:id',
    tag: 'Runs',
    summary: 'Deletes a run with all its rows; one that is not over is cancelled first',
    who: 'user',
    params: idParams,
    answers: { 204: NOTHING },
  }),
  runStats: route({
    method: 'GET',
    path: '/api/simulator/runs/:id/stats',
    tag: 'Runs',
    summary: 'Events of a run in numbers, and the times of its steps',
    who: 'user',
    params: idParams,
    answers: { 200: json('The numbers.', stats) },
  }),
  runMetrics: route({
    method: 'GET',
    path: '/api/simulator/runs/:id/metrics',
    tag: 'Runs',
    summary: 'What a run measured: totals, percentiles, workers, its course, and a window of its attempts',
    who: 'user',
    params: idParams,
    query: z.object({
      jobs_limit: limit(2000, 500),
      jobs_offset: offset,
      jobs_order: order.default('desc'),
      series_points: integer(0, 600).default(60),
      series_percentiles: queryFlag().default(false),
    }),
    answers: { 200: json('The metrics.', metrics) },
  }),
  cancelRun: route({
    method: 'POST',
    path: '/api/simulator/runs/:id/cancel',
    tag: 'Runs',
    summary: 'Asks a run to stop',
    who: 'user',
    params: idParams,
    answers: { 202: json('It was asked.', messageSchema.extend({ run_id: objectId })) },
    errors: { 403: 'It is somebody else’s.', 409: 'It is over.' },
  }),
} as const;
