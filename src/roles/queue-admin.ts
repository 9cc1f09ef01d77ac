import { asyncQueues } from '../domain/async-queues.ts';
import type { Job } from '../domain/job.ts';
import { type UnexecutedEnd, unexecutedRows } from '../ledger/unexecuted.ts';
import type { Clock } from '../lib/clock.ts';
import { failure, YeeterError } from '../lib/errors.ts';
import { plural } from '../lib/plural.ts';
import type { QueueAdmin, QueueStatus } from '../queue/admin-port.ts';
import type { MessageRates, QueueDepth, QueueMaintenance, QueuePort } from '../queue/port.ts';
import type { ControlState, CoordinationPort } from '../storage/coordination-port.ts';
import type { RunRecord } from '../storage/port.ts';
import { goneSinks } from './gone-sinks.ts';

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
const MAX_NAMES_TOLD = 10;
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

  /** By name. */
  const namesIn = async ({ activeQueues, queueModes }: ControlState): Promise<string[]> => {
    const workers = await store.listWorkers({ seenSinceMs: clock.nowMs() - RECENT_WORKERS_MS });
    const names = new Set([
      defaultQueue,
      ...activeQueues,
      ...Object.keys(queueModes),
      ...workers.flatMap((worker) => worker.queues),
      ...(await recentQueues()),
    ]);
    return [...names].sort();
  };

  const list = async (): Promise<QueueStatus[]> => {
    const control = await store.control();
    const { queueModes } = control;
    const names = await namesIn(control);
    const depths = await queue.depth(names);
    const rates = await queue.rates(names);
    return depths.map((depth, at) => ({
      ...depth,
      mode: queueModes[depth.queue] ?? 'open',
      publishedPerSecond: rates[at]?.publishedPerSecond ?? null,
      acknowledgedPerSecond: rates[at]?.acknowledgedPerSecond ?? null,
    }));
  };

  const mustExist = async (name: string): Promise<void> => {
    if (await queue.exists(name)) return;
    const names = await namesIn(await store.control());
    if (names.includes(name) || (await store.isNamedByTemplate(name))) return;
    const known = names.length > MAX_NAMES_TOLD ? 'see the list of queues' : `there are ${names.join(', ')}`;
    throw new YeeterError('NOT_FOUND', `there is no queue "${name}": ${known}`);
  };

  const depth = async (name: string): Promise<QueueDepth> => {
    await mustExist(name);
    return (await queue.depth([name]))[0]!;
  };

  /** Null of a run that was deleted. */
  const runOf = (runId: number): Promise<RunRecord | null> =>
    store.getRun(runId).catch((error) => {
      if (error.code === 'RUN_NOT_FOUND') return null;
      throw error;
    });

  /** A purged job is settled as cancelled, so that its run can end; a run that was deleted has nothing to settle. */
  const settlePurged = async (jobs: readonly Job[]): Promise<void> => {
    const end: UnexecutedEnd = {
      outcome: 'cancelled',
      terminal: 'cancelled',
      failure: failure('CANCELLED', 'the job was purged from its queue'),
      workerId: options.actor,
      nowUs: clock.epochUs(),
    };
    for (const [runId, own] of Map.groupBy(jobs, (job) => job.runId)) {
      const run = await runOf(runId);
      if (run) await store.writeLedger(unexecutedRows(run, own, end));
    }
  };

  return {
    list,
    depth,
    setAsideMessages: async (name, limit) => {
      await mustExist(name);
      return queue.setAsideMessages(name, limit);
    },
    requeueDead: async (name, jobIds) => {
      await mustExist(name);
      /** As they were: reopened, they are no longer over. */
      const before = new Map<number, RunRecord | null>();
      const { requeued, jobs } = await queue.requeueDead(name, {
        jobIds,
        // Before they are published: what a worker settles afterwards must find the job open.
        beforePublish: async (taken) => {
          for (const { runId } of taken) if (!before.has(runId)) before.set(runId, await runOf(runId));
          await store.reopenJobs(taken);
        },
      });
      const byRun = Map.groupBy(jobs, ({ runId }) => runId);
      return {
        requeued,
        jobIds: jobs.map((job) => job.jobId),
        runIds: [...byRun.keys()],
        benchSinks: [...byRun].flatMap(([runId, own]) => {
          const run = before.get(runId);
          return (run && goneSinks(run, own)) ?? [];
        }),
      };
    },
    purgeDead: async (name, expected) => {
      const { dead } = await depth(name);
      if (dead !== expected) {
        throw new YeeterError(
          'QUEUE_COUNT_CHANGED',
          `${name} holds ${dead} ${plural(dead, 'dead letter')}, not ${expected}: nothing was purged`,
        );
      }
      return dead === 0 ? 0 : queue.purgeDead(name);
    },
    purge: async (name, expected) => {
      await mustExist(name);
      return queue.purge(name, expected, settlePurged);
    },
    setMode: async (name, mode) => {
      await mustExist(name);
      await store.setQueueMode(name, mode);
    },
  };
}
