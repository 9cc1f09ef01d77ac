import { z } from 'zod';
import { expects, integer } from '../../domain/schema-fields.ts';
import { count, figure, limit, objectId, offset, record, text, time } from './fields.ts';
import { json, messageSchema, route } from './route.ts';

const queueParams = z.object({ name: z.string().min(1).max(255) });
const expected = integer(0, Number.MAX_SAFE_INTEGER);

const queue = z.object({
  name: text,
  mode: text,
  ready: count,
  unacknowledged: count,
  delayed: count,
  dead_letters: count,
  consumers: count,
  published_per_second: figure.nullable(),
  acknowledged_per_second: figure.nullable(),
});

const deadLetter = z.object({
  job_id: text,
  run_id: objectId,
  patient_iteration: count,
  queue: text,
  job_type: text.nullable(),
  attempts: count,
  failed_step: z.int().nullable(),
  error_code: text,
  error: text,
  died_at: time,
  requeues: count,
  metadata: record,
});

const setAside = z.object({
  message_id: text.nullable(),
  reason: text,
  set_aside_at: time.nullable(),
  bytes: count,
});

const benchSinks = z.object({ run_id: objectId, mllp_port: count.nullable(), dicom_port: count.nullable() });

const jobIds = z
  .array(z.string({ error: expects('the id of a job') }).max(100), { error: expects('a list of job ids') })
  .min(1, { error: 'must hold at least one job id' })
  .max(10_000, { error: 'must hold at most 10000 job ids' });

const moded = messageSchema.extend({ queue: text, mode: text });

const NO_QUEUE = { 404: 'There is no such queue.', 503: 'The broker does not answer.' } as const;

export const queueRoutes = {
  listQueues: route({
    method: 'GET',
    path: '/api/admin/queues',
    tag: 'Queues',
    summary: 'The queues and what waits in them',
    who: 'admin',
    answers: { 200: json('The queues, by name.', z.array(queue)) },
    errors: { 503: 'The broker does not answer.' },
  }),
  listDeadLetters: route({
    method: 'GET',
    path: '/api/admin/queues/:name/dead-letters',
    tag: 'Queues',
    summary: 'Jobs whose attempts are used up, newest first',
    who: 'admin',
    params: queueParams,
    query: z.object({ limit: limit(1000, 100), offset }),
    answers: {
      200: json(
        'A page of them.',
        z.object({ items: z.array(deadLetter), total: count, limit: count, offset: count }),
      ),
    },
  }),
  listSetAside: route({
    method: 'GET',
    path: '/api/admin/queues/:name/set-aside',
    tag: 'Queues',
    summary: 'Messages among the dead letters that are no jobs of this deployment, newest first',
    who: 'admin',
    params: queueParams,
    query: z.object({ limit: limit(1000, 100) }),
    answers: { 200: json('The newest of them.', z.object({ items: z.array(setAside), limit: count })) },
    errors: NO_QUEUE,
  }),
  requeueDeadLetters: route({
    method: 'POST',
    path: '/api/admin/queues/:name/dead-letters/requeue',
    tag: 'Queues',
    summary: 'Lets dead jobs be tried again: those that are named, or all',
    who: 'admin',
    params: queueParams,
    body: z.object({ job_ids: jobIds.nullish(), job_id: z.string().max(100).nullish() }),
    answers: {
      200: json(
        'Those that were requeued; others are not among the dead letters. `bench_sinks` are the ports of ' +
          'built-in receivers that ended with the bench of a run.',
        messageSchema.extend({
          requeued: count,
          job_ids: z.array(text),
          run_ids: z.array(objectId),
          bench_sinks: z.array(benchSinks),
        }),
      ),
    },
    errors: { ...NO_QUEUE, 409: 'A run of them was cancelled.' },
  }),
  purgeDeadLetters: route({
    method: 'DELETE',
    path: '/api/admin/queues/:name/dead-letters',
    tag: 'Queues',
    summary: 'Throws the dead letters away; `count`, in the query or the body, confirms how many',
    who: 'admin',
    params: queueParams,
    query: z.object({ count: expected.optional() }),
    body: z.object({ count: expected.optional() }),
    answers: { 200: json('They are gone.', messageSchema.extend({ purged: count })) },
    errors: { ...NO_QUEUE, 409: 'Another number is there.' },
  }),
  purgeQueue: route({
    method: 'DELETE',
    path: '/api/admin/queues/:name/jobs',
    tag: 'Queues',
    summary: 'Cancels the jobs that wait; `count`, in the query or the body, confirms how many',
    who: 'admin',
    params: queueParams,
    query: z.object({ count: expected.optional() }),
    body: z.object({ count: expected.optional() }),
    answers: { 200: json('They are gone.', messageSchema.extend({ purged: count })) },
    errors: { ...NO_QUEUE, 409: 'Another number is there.' },
  }),
  pauseQueue: route({
    method: 'POST',
    path: '/api/admin/queues/:name/pause',
    tag: 'Queues',
    summary: 'Lets workers take nothing more from the queue',
    who: 'admin',
    params: queueParams,
    answers: { 200: json('Done.', moded) },
    errors: NO_QUEUE,
  }),
  drainQueue: route({
    method: 'POST',
    path: '/api/admin/queues/:name/drain',
    tag: 'Queues',
    summary: 'Lets runs start nothing new for the queue; what is there is done',
    who: 'admin',
    params: queueParams,
    answers: { 200: json('Done.', moded) },
    errors: NO_QUEUE,
  }),
  resumeQueue: route({
    method: 'POST',
    path: '/api/admin/queues/:name/resume',
    tag: 'Queues',
    summary: 'Opens the queue again',
    who: 'admin',
    params: queueParams,
    answers: { 200: json('Done.', moded) },
    errors: NO_QUEUE,
  }),
} as const;
