import { z } from 'zod';
import { YeeterError } from '../../lib/errors.ts';
import type { QueueStatus } from '../../queue/admin-port.ts';
import { type DeadJob, QUEUE_MODES, type QueueMode } from '../../storage/coordination-port.ts';
import type { QueueDesk } from '../queue-desk.ts';
import type { ApiClient } from './http.ts';
import { printable } from './printable.ts';

const text = z.string().transform(printable);
const rate = z.number().nullish();

const QUEUES = z.array(
  z.object({
    name: text,
    mode: z.enum(QUEUE_MODES),
    ready: z.int(),
    unacknowledged: z.int(),
    delayed: z.int(),
    dead_letters: z.int(),
    consumers: z.int(),
    published_per_second: rate,
    acknowledged_per_second: rate,
  }),
);

const DEAD_JOBS = z.object({
  items: z.array(
    z.object({
      job_id: text,
      run_id: z.int(),
      patient_iteration: z.int(),
      queue: text,
      job_type: text.nullable(),
      attempts: z.int(),
      failed_step: z.int().nullable(),
      error_code: text,
      error: text,
      died_at: z.iso.datetime(),
      requeues: z.int(),
      metadata: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
});

const SET_ASIDE = z.object({
  items: z.array(
    z.object({
      message_id: text.nullable(),
      reason: text,
      set_aside_at: z.iso.datetime().nullable(),
      bytes: z.int(),
    }),
  ),
});

const REQUEUED = z.object({
  requeued: z.int(),
  job_ids: z.array(text),
  run_ids: z.array(z.int()),
  bench_sinks: z
    .array(z.object({ run_id: z.int(), mllp_port: z.int().nullable(), dicom_port: z.int().nullable() }))
    .nullish(),
});
const PURGED = z.object({ purged: z.int() });

/** What leads to a mode. */
const VERBS = { open: 'resume', paused: 'pause', draining: 'drain' } as const satisfies Record<
  QueueMode,
  string
>;

/** Dead jobs, or messages, that a server lists at a time. */
const PAGE_SIZE = 1000;

/** Through the administration of a server. Its methods throw as `ApiClient` does. */
export function createServerQueueDesk(client: ApiClient): QueueDesk {
  const routeOf = (queue: string, rest: string): string =>
    `/api/admin/queues/${encodeURIComponent(queue)}/${rest}`;

  const list = async (): Promise<QueueStatus[]> => {
    const queues = await client.json(QUEUES, { path: '/api/admin/queues' });
    return queues.map((queue) => ({
      queue: queue.name,
      mode: queue.mode,
      ready: queue.ready,
      unacknowledged: queue.unacknowledged,
      delayed: queue.delayed,
      dead: queue.dead_letters,
      consumers: queue.consumers,
      publishedPerSecond: queue.published_per_second ?? null,
      acknowledgedPerSecond: queue.acknowledged_per_second ?? null,
    }));
  };

  const deadJobs = async (queue: string, wanted: number): Promise<DeadJob[]> => {
    const jobs: DeadJob[] = [];
    while (jobs.length < wanted) {
      const limit = Math.min(PAGE_SIZE, wanted - jobs.length);
      const { items } = await client.json(DEAD_JOBS, {
        path: routeOf(queue, 'dead-letters'),
        query: { limit, offset: jobs.length },
      });
      jobs.push(
        ...items.map((job) => ({
          jobId: job.job_id,
          runId: job.run_id,
          iteration: job.patient_iteration,
          queue: job.queue,
          jobType: job.job_type,
          attempts: job.attempts,
          failedStep: job.failed_step,
          errorCode: job.error_code,
          error: job.error,
          diedAtMs: Date.parse(job.died_at),
          requeues: job.requeues,
          metadata: job.metadata ?? {},
        })),
      );
      if (items.length < limit) break;
    }
    return jobs;
  };

  const purge = async (queue: string, what: string, count: number): Promise<number> => {
    const path = routeOf(queue, what);
    return (await client.json(PURGED, { method: 'DELETE', path, query: { count } })).purged;
  };

  return {
    admin: {
      list,
      depth: async (queue) => {
        const found = (await list()).find((status) => status.queue === queue);
        if (found) return found;
        throw new YeeterError('NOT_FOUND', `the server knows no queue "${queue}": see "yeeter queues list"`);
      },
      setAsideMessages: async (queue, wanted) => {
        const limit = Math.min(PAGE_SIZE, wanted);
        const { items } = await client.json(SET_ASIDE, {
          path: routeOf(queue, 'set-aside'),
          query: { limit },
        });
        return items.map(({ message_id, reason, set_aside_at, bytes }) => ({
          messageId: message_id,
          reason,
          setAsideAtMs: set_aside_at === null ? null : Date.parse(set_aside_at),
          bytes,
        }));
      },
      requeueDead: async (queue, jobIds) => {
        const { requeued, job_ids, run_ids, bench_sinks } = await client.json(REQUEUED, {
          method: 'POST',
          path: routeOf(queue, 'dead-letters/requeue'),
          body: jobIds === 'all' ? {} : { job_ids: jobIds },
        });
        const benchSinks = (bench_sinks ?? []).map(({ run_id, mllp_port, dicom_port }) => ({
          runId: run_id,
          mllpPort: mllp_port,
          dicomPort: dicom_port,
        }));
        return { requeued, jobIds: job_ids, runIds: run_ids, benchSinks };
      },
      purgeDead: (queue, count) => purge(queue, 'dead-letters', count),
      purge: (queue, count) => purge(queue, 'jobs', count),
      setMode: async (queue, mode) => {
        const path = routeOf(queue, VERBS[mode]);
        await client.json(z.unknown(), { method: 'POST', path, body: {} });
      },
    },
    deadJobs,
    remedy: () => 'start a worker with "yeeter workers scale 1"',
    [Symbol.asyncDispose]: async () => {},
  };
}
