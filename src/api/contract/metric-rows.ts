import { z } from 'zod';
import { RUN_CSV_COLUMNS, type RunColumn } from '../../metrics/run-row.ts';
import { WORKER_CSV_COLUMNS, type WorkerColumn } from '../../metrics/worker-row.ts';
import { count, figure, objectId, text, time } from './fields.ts';

const cell = z.union([z.string(), z.number(), z.boolean()]).nullable();

const stepDuration = z.object({
  step_order: z.int(),
  step_type: text,
  count,
  total_ms: figure.nullable(),
  avg_ms: figure.nullable(),
  min_ms: figure.nullable(),
  max_ms: figure.nullable(),
});

type Shape<Column extends string> = Record<Column, typeof cell>;

/** A run in figures: the columns of the CSV file under the same names; `step_durations` is a list here. */
export const runRow = z.object({
  ...(Object.fromEntries(RUN_CSV_COLUMNS.map((column) => [column, cell])) as Shape<RunColumn>),
  run_id: objectId,
  status: text,
  created_at: time,
  updated_at: time,
  step_durations: z.array(stepDuration),
});

/** One attempt of a job: the columns of the CSV file under the same names. */
export const workerRow = z.object({
  ...(Object.fromEntries(WORKER_CSV_COLUMNS.map((column) => [column, cell])) as Shape<WorkerColumn>),
  id: objectId,
  run_id: objectId,
  job_id: text,
  success: z.boolean(),
  outcome: text,
  created_at: time,
});
