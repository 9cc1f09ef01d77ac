import { z } from 'zod';
import { RUN_STATUSES } from '../../domain/run-state.ts';
import { expects, integer, oneOf } from '../../domain/schema-fields.ts';
import { count, figure, format, id, queryFlag, queryTime } from './fields.ts';
import { runRow, workerRow } from './metric-rows.ts';
import { json, route } from './route.ts';

export const metricRoutes = {
  runsMetrics: route({
    method: 'GET',
    path: '/api/metrics/runs',
    aliases: ['/metrics/runs'],
    tag: 'Metrics',
    summary: 'Runs in figures, newest first; administrators see all. CSV without `limit` has all rows',
    who: 'user',
    query: z.object({
      run_id: id().optional(),
      template_id: id().optional(),
      status: oneOf(RUN_STATUSES).optional(),
      start_at: queryTime().optional(),
      end_at: queryTime().optional(),
      limit: integer(1, 1000).optional(),
      format,
    }),
    answers: {
      200: {
        ...json(
          'The runs; 100 unless `limit` says otherwise.',
          z.object({
            summary: z.object({
              run_count: count,
              total_patients: count,
              total_worker_jobs: count,
              total_worker_success: count,
              total_dicom_instances: count,
              total_dicom_bytes: count,
              average_orders_per_second: figure.nullable(),
            }),
            runs: z.array(runRow),
          }),
        ),
        csv: 'run-metrics.csv',
      },
    },
  }),
  workersMetrics: route({
    method: 'GET',
    path: '/api/metrics/workers',
    aliases: ['/metrics/workers'],
    tag: 'Metrics',
    summary: 'Attempts of jobs, newest first; administrators see all. CSV without `limit` has all rows',
    who: 'user',
    query: z.object({
      run_id: id().optional(),
      queue: z
        .string({ error: expects('the name of a queue') })
        .max(255)
        .optional(),
      success: queryFlag().optional(),
      limit: integer(1, 2000).optional(),
      format,
    }),
    answers: {
      200: {
        ...json(
          'The attempts; 200 unless `limit` says otherwise.',
          z.object({
            summary: z.object({
              job_count: count,
              success_count: count,
              failure_count: count,
              average_duration_ms: figure.nullable(),
            }),
            metrics: z.array(workerRow),
          }),
        ),
        csv: 'worker-metrics.csv',
      },
    },
  }),
} as const;
