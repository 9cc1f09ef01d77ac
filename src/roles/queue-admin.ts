import { asyncQueues } from '../domain/async-queues.ts';
import type { Job } from '../domain/job.ts';
import { unexecutedRows } from '../ledger/unexecuted.ts';
import type { Clock } from '../lib/clock.ts';
import { failure, YeeterError } from '../lib/errors.ts';
import type { QueueAdmin, QueueStatus } from '../queue/admin-port.ts';
import type { MessageRates, QueueMaintenance, QueuePort } from '../queue/port.ts';
import type { CoordinationPort } from '../storage/coordination-port.ts';

export interface QueueAdminOptions {
  store: CoordinationPort;
  queue: QueuePort &
    QueueMaintenance & { rates(queues: readonly string[]): Promise<(MessageRates | null)[]> };
  clock: Clock;
  /** The queue of templates that name none. */
  defaultQueue: string;
  /** Who purges, in the ledger. */
  actor: string;
}

const RECENT_RUNS = 200;
const RECENT_WORKERS_MS = 30_000;
/** Queues of runs that are over are looked for so often. */
const RECENT_RUNS_INTERVAL_MS = 30_000;

export function createQueueAdmin(options: QueueAdminOptions): QueueAdmin {
  const { store, queue, clock, defaultQueue } = options;
  let recent: readonly string[] = [];
  let recentAtMs = Number.NEGATIVE_INFINITY;

  const recentQueues = async (): Promise<readonly string[]> => {
    if (clock.nowMs() - recentAtMs < RECENT_RUNS_INTERVAL_MS) return recent;
    const runs = await store.listRuns({ limit: RECENT_RUNS });
    recent = [...new Set(runs.flatMap((run) => asyncQueues(run.template)))];
    recentAtMs = clock.nowMs();
    return recent;
  };

  const list = async (): Promise<QueueStatus[]> => {
    const { queueModes, activeQueues } = await store.control();
    const workers = await store.listWorkers({ seenSinceMs: clock.nowMs() - RECENT_WORKERS_MS });
    const names = new Set([
      defaultQueue,
      ...activeQueues,
      ...Object.keys(queueModes),
      ...workers.flatMap((worker) => worker.queues),
      ...(await recentQueues()),
    ]);
    const sorted = [...names].sort();
    const depths = await queue.depth(sorted);
    const rates = await queue.rates(sorted);
    return depths.map((depth, at) => ({
      ...depth,
      mode: queueModes[depth.queue] ?? 'open',
      publishedPerSecond: rates[at]?.publishedPerSecond ?? null,
      acknowledgedPerSecond: rates[at]?.acknowledgedPerSecond ?? null,
    }));
  };

  /** A purged job is settled as cancelled, so that its run can end. */
  const settlePurged = async (jobs: readonly Job[]): Promise<void> => {
    const rows = unexecutedRows(jobs, {
      outcome: 'cancelled',
      terminal: 'cancelled',
      failure: failure('CANCELLED', 'the job was purged from its queue'),
      workerId: options.actor,
      nowUs: clock.epochUs(),
    });
    await store.writeLedger(rows);
  };

  return {
    list,
    requeueDead: async (name, jobIds) => {
      const { requeued, jobs } = await queue.requeueDead(name, {
        jobIds,
        // Before they are published: what a worker settles afterwards must find the job open.
        beforePublish: (taken) => store.reopenJobs(taken),
      });
      const runIds = [...new Set(jobs.map((job) => job.runId))];
      return { requeued, jobIds: jobs.map((job) => job.jobId), runIds };
    },
    purgeDead: async (name, expected) => {
      const [depth] = await queue.depth([name]);
      if (depth!.dead !== expected) {
        throw new YeeterError(
          'QUEUE_COUNT_CHANGED',
          `${name} holds ${depth!.dead} dead letters, not ${expected}: nothing was purged`,
        );
      }
      return queue.purgeDead(name);
    },
    purge: (name, expected) => queue.purge(name, expected, settlePurged),
    setMode: (name, mode) => store.setQueueMode(name, mode),
  };
}
