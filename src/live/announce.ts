import type { Job } from '../domain/job.ts';
import { isOver } from '../domain/run-state.ts';
import { withMethods } from '../lib/with-methods.ts';
import type { QueuePort } from '../queue/port.ts';
import type { CoordinationPort } from '../storage/coordination-port.ts';
import type { LedgerBatch, StoragePort } from '../storage/port.ts';
import type { ServerPort } from '../storage/server-port.ts';
import type { LivePort } from './port.ts';

function runsOf({ handedOff, attempts, iterations, events }: LedgerBatch): Set<number> {
  const runIds = new Set<number>();
  for (const rows of [handedOff, attempts, iterations, events])
    for (const { runId } of rows) runIds.add(runId);
  return runIds;
}

/** The same store; what was changed through it is told once it is stored, outside its transactions. */
export function announceChanges<Store extends StoragePort & Partial<CoordinationPort & ServerPort>>(
  store: Store,
  live: LivePort,
): Store {
  const tell = (runId: number): void => live.publish({ kind: 'run', runId });
  const methods: Partial<CoordinationPort & ServerPort> = {
    createRun: async (run) => {
      const created = await store.createRun(run);
      live.publish({ kind: 'run_created', runId: created.id });
      return created;
    },
    transitionRun: async (runId, event, change) => {
      const changed = await store.transitionRun(runId, event, change);
      tell(runId);
      if (isOver(changed.status)) live.publish({ kind: 'run_over', runId });
      return changed;
    },
    requestCancel: async (runId) => {
      const asked = await store.requestCancel(runId);
      tell(runId);
      return asked;
    },
    writeLedger: async (batch) => {
      const receipt = await store.writeLedger(batch);
      runsOf(batch).forEach(tell);
      return receipt;
    },
    reopenJobs: async (jobs) => {
      await store.reopenJobs!(jobs);
      new Set(jobs.map(({ runId }) => runId)).forEach(tell);
    },
    addListenerMessage: async (message) => {
      const added = await store.addListenerMessage!(message);
      live.publish({ kind: 'listener_message', id: added.id });
      return added;
    },
  };
  return withMethods(store, methods as Partial<Store>);
}

/** The same queue; jobs that were published through it are told once that is confirmed. */
export function announceJobs<Queue extends QueuePort>(queue: Queue, live: LivePort): Queue {
  const publish = async (job: Job): Promise<void> => {
    await queue.publish(job);
    const { jobId, runId, iteration, repeatsDone } = job;
    live.publish({
      kind: 'run',
      runId,
      queued: [{ jobId, queue: job.queue, patientIteration: iteration, repeatIteration: repeatsDone }],
    });
  };
  return withMethods(queue, { publish } as Partial<Queue>);
}
