import { z } from 'zod';
import { expects, integer, line } from '../../domain/schema-fields.ts';
import { count, figure, format, objectId, queryTime, text, time } from './fields.ts';
import { json, route } from './route.ts';

const config = z.looseObject({
  enabled: z.boolean(),
  min_replicas: count,
  max_replicas: count,
  scale_up_threshold: figure,
  scale_up_step: count,
  scale_down_threshold: figure,
  scale_down_step: count,
  scale_down_cooldown_seconds: figure,
  poll_interval_seconds: figure,
  management_port: count,
  queue_name: text,
  scale_to_zero: z.boolean(),
});

const status = z.looseObject({
  current_replicas: count.nullable(),
  target_replicas: count.nullable(),
  queue_depth: count.nullable(),
  last_queue_check_at: time.nullable(),
  last_scale_at: time.nullable(),
  last_scale_action: text.nullable(),
  last_error: text.nullable(),
  kubernetes_connected: z.boolean(),
  manual_override_active: z.boolean(),
  manual_override_replicas: count.nullable(),
  manual_override_at: time.nullable(),
});

const scaler = z.object({ config, status });

const decision = z.looseObject({
  id: objectId.nullable(),
  at: time,
  action: text,
  actor: text,
  reason: text.nullable(),
  queue_depth: count.nullable(),
  current_replicas: count.nullable(),
  target_replicas: count,
  applied: z.boolean(),
  error: text.nullable(),
  expires_at: time.nullable(),
});

const MAX_REPLICAS = 1000;
const replicas = integer(0, MAX_REPLICAS);

const worker = z.object({
  worker_id: text,
  host: text,
  pid: z.int(),
  version: text,
  queues: z.array(text),
  concurrency: count,
  busy: count,
  jobs: count,
  /** `starting`, `working`, `stopping`, or `silent` when its heartbeats are overdue. */
  state: text,
  started_at: time,
  last_seen_at: time,
  heartbeat_age_seconds: figure,
});

export const DECISION_CSV_COLUMNS = [
  'id',
  'at',
  'action',
  'actor',
  'reason',
  'queue_depth',
  'current_replicas',
  'target_replicas',
  'applied',
  'error',
  'expires_at',
] as const;

export const scalingRoutes = {
  getAutoscaler: route({
    method: 'GET',
    path: '/api/admin/worker/autoscaler',
    tag: 'Scaling',
    summary: 'How the number of workers is decided, and how it is',
    who: 'admin',
    answers: { 200: json('Configuration and status.', scaler) },
  }),
  updateAutoscaler: route({
    method: 'PUT',
    path: '/api/admin/worker/autoscaler',
    tag: 'Scaling',
    summary: 'Changes the configuration in part',
    who: 'admin',
    body: z.object({
      enabled: z.boolean({ error: expects('true or false') }).optional(),
      min_replicas: replicas.optional(),
      max_replicas: replicas.optional(),
      scale_up_threshold: integer(0, 1_000_000_000).optional(),
      scale_up_step: integer(1, MAX_REPLICAS).optional(),
      scale_down_threshold: integer(0, 1_000_000_000).optional(),
      scale_down_step: integer(1, MAX_REPLICAS).optional(),
      scale_down_cooldown_seconds: integer(0, 86_400).optional(),
      poll_interval_seconds: integer(1, 86_400).optional(),
      management_port: integer(1, 65_535).optional(),
      queue_name: line(200).optional(),
      scale_to_zero: z.boolean({ error: expects('true or false') }).optional(),
    }),
    answers: { 200: json('Configuration and status.', scaler) },
  }),
  scaleAutoscaler: route({
    method: 'POST',
    path: '/api/admin/worker/autoscaler/scale',
    tag: 'Scaling',
    summary: 'Sets the number of workers until the override is cleared',
    who: 'admin',
    body: z.object({ replicas }),
    faults: 'scaling',
    answers: { 200: json('Configuration and status.', scaler) },
    errors: { 503: 'What runs the workers did not answer.' },
  }),
  clearOverride: route({
    method: 'DELETE',
    path: '/api/admin/worker/autoscaler/scale',
    tag: 'Scaling',
    summary: 'Lets the scaler decide again',
    who: 'admin',
    answers: { 200: json('Configuration and status.', scaler) },
  }),
  scaleWorkers: route({
    method: 'POST',
    path: '/api/admin/workers/scale',
    tag: 'Scaling',
    summary:
      'Sets the number of workers, for a while or until the override is cleared; or only says what would happen',
    who: 'admin',
    body: z.object({
      replicas,
      reason: line(500).nullish(),
      ttl_seconds: integer(1, 30 * 86_400).nullish(),
      dry_run: z.boolean({ error: expects('true or false') }).nullish(),
    }),
    answers: { 200: json('What was decided.', scaler.extend({ decision })) },
    errors: { 503: 'What runs the workers did not answer; nothing was changed.' },
  }),
  listWorkers: route({
    method: 'GET',
    path: '/api/admin/workers',
    tag: 'Scaling',
    summary: 'Live workers, by their heartbeat',
    who: 'admin',
    answers: { 200: json('The workers.', z.array(worker)) },
  }),
  listDecisions: route({
    method: 'GET',
    path: '/api/admin/scaling/decisions',
    tag: 'Scaling',
    summary: 'What was decided about the number of workers, newest first. CSV without `limit` has all rows',
    who: 'admin',
    query: z.object({
      from: queryTime().optional(),
      to: queryTime().optional(),
      limit: integer(1, 1000).optional(),
      format,
    }),
    answers: {
      200: {
        ...json('The decisions; 100 unless `limit` says otherwise.', z.array(decision)),
        csv: 'scaling-decisions.csv',
      },
    },
  }),
} as const;
