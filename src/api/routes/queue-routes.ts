import { plural } from '../../lib/plural.ts';
import type { BenchSinks, QueueAdmin, QueueStatus } from '../../queue/admin-port.ts';
import type { SetAsideMessage } from '../../queue/port.ts';
import type { DeadJob } from '../../storage/coordination-port.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import type { Audit } from '../audit.ts';
import type { Handlers } from '../http/handlers.ts';
import { fault } from '../http/refusals.ts';
import { at } from '../time.ts';

export interface QueueRoutesDeps {
  queues: QueueAdmin;
  store: Pick<ServerStore, 'deadJobPage'>;
  audit: Audit;
}

function queueToWire(queue: QueueStatus) {
  return {
    name: queue.queue,
    mode: queue.mode,
    ready: queue.ready,
    unacknowledged: queue.unacknowledged,
    delayed: queue.delayed,
    dead_letters: queue.dead,
    consumers: queue.consumers,
    published_per_second: queue.publishedPerSecond,
    acknowledged_per_second: queue.acknowledgedPerSecond,
  };
}

function deadToWire(job: DeadJob) {
  return {
    job_id: job.jobId,
    run_id: job.runId,
    patient_iteration: job.iteration,
    queue: job.queue,
    job_type: job.jobType,
    attempts: job.attempts,
    failed_step: job.failedStep,
    error_code: job.errorCode,
    error: job.error,
    died_at: at(job.diedAtMs),
    requeues: job.requeues,
    metadata: { ...job.metadata },
  };
}

function setAsideToWire({ messageId, reason, setAsideAtMs, bytes }: SetAsideMessage) {
  return {
    message_id: messageId,
    reason,
    set_aside_at: setAsideAtMs === null ? null : at(setAsideAtMs),
    bytes,
  };
}

function benchSinksToWire({ runId, mllpPort, dicomPort }: BenchSinks) {
  return { run_id: runId, mllp_port: mllpPort, dicom_port: dicomPort };
}

/** How many are to go: whoever throws jobs away says how many they saw. @throws {RequestFaults} */
function confirmed(query: number | undefined, body: number | undefined): number {
  return (
    query ??
    body ??
    (() => {
      throw fault(
        ['count'],
        'is missing: give the number that is to be thrown away, to confirm it',
        'missing',
      );
    })()
  );
}

type Names =
  | 'listQueues'
  | 'listDeadLetters'
  | 'listSetAside'
  | 'requeueDeadLetters'
  | 'purgeDeadLetters'
  | 'purgeQueue'
  | 'pauseQueue'
  | 'drainQueue'
  | 'resumeQueue';

export function createQueueRoutes({ queues, store, audit }: QueueRoutesDeps): Pick<Handlers, Names> {
  return {
    listQueues: async () => ({ status: 200, body: (await queues.list()).map(queueToWire) }),

    listDeadLetters: async ({ params, query: { limit, offset } }) => {
      const { total, jobs } = await store.deadJobPage(params.name, { limit, offset });
      return { status: 200, body: { items: jobs.map(deadToWire), total, limit, offset } };
    },

    listSetAside: async ({ params, query: { limit } }) => {
      const messages = await queues.setAsideMessages(params.name, limit);
      return { status: 200, body: { items: messages.map(setAsideToWire), limit } };
    },

    requeueDeadLetters: async (call) => {
      const { name } = call.params;
      const { job_ids: jobIds, job_id: jobId } = call.body;
      const wanted = jobIds ?? (jobId ? [jobId] : 'all');
      const { requeued, jobIds: done, runIds, benchSinks } = await queues.requeueDead(name, wanted);
      await audit.record(call, 'queue.requeue', `queue ${name}`, { requeued });
      const message = `${requeued} ${plural(requeued, 'job')} of ${name} will be tried again`;
      const bench_sinks = benchSinks.map(benchSinksToWire);
      return { status: 200, body: { message, requeued, job_ids: done, run_ids: runIds, bench_sinks } };
    },

    purgeDeadLetters: async (call) => {
      const { name } = call.params;
      const purged = await queues.purgeDead(name, confirmed(call.query.count, call.body.count));
      await audit.record(call, 'queue.purge_dead', `queue ${name}`, { purged });
      const letters = plural(purged, `dead letter of ${name} is`, `dead letters of ${name} are`);
      return { status: 200, body: { message: `${purged} ${letters} gone`, purged } };
    },

    purgeQueue: async (call) => {
      const { name } = call.params;
      const purged = await queues.purge(name, confirmed(call.query.count, call.body.count));
      await audit.record(call, 'queue.purge', `queue ${name}`, { purged });
      const jobs = plural(purged, `job of ${name} was`, `jobs of ${name} were`);
      return { status: 200, body: { message: `${purged} ${jobs} cancelled`, purged } };
    },

    pauseQueue: async (call) => {
      const { name } = call.params;
      await queues.setMode(name, 'paused');
      await audit.record(call, 'queue.pause', `queue ${name}`);
      const body = { message: `workers take nothing more from ${name}`, queue: name, mode: 'paused' };
      return { status: 200, body };
    },

    drainQueue: async (call) => {
      const { name } = call.params;
      await queues.setMode(name, 'draining');
      await audit.record(call, 'queue.drain', `queue ${name}`);
      const body = { message: `runs start nothing new for ${name}`, queue: name, mode: 'draining' };
      return { status: 200, body };
    },

    resumeQueue: async (call) => {
      const { name } = call.params;
      await queues.setMode(name, 'open');
      await audit.record(call, 'queue.resume', `queue ${name}`);
      return { status: 200, body: { message: `${name} is open again`, queue: name, mode: 'open' } };
    },
  };
}
