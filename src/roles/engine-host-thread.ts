import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../lib/clock.ts';
import { answerCalls } from '../lib/thread-calls.ts';
import { VERSION } from '../lib/version.ts';
import { announceChanges, announceJobs } from '../live/announce.ts';
import { connectLive } from '../live/local-live.ts';
import { createMetricLog } from '../metrics/metric-log.ts';
import { createMemoryQueue } from '../queue/memory/memory-queue.ts';
import { createStudyFactory } from '../steps/study-factory.ts';
import { createStoreClient } from '../storage/pglite/store-client.ts';
import type { EngineHostInput, EngineHostMessage, EngineHostMethods } from './engine-host-protocol.ts';
import { createOwnClock } from './ledger-clock.ts';
import { createQueueAdmin } from './queue-admin.ts';
import { startRunnerRole } from './runner-role.ts';
import { startWorkerRole, type WorkerRole } from './worker-role.ts';

/**
 * The runner and the workers of the embedded shape, over one queue in memory: the same roles as in the larger shapes,
 * so that runs are claimed, workers counted and queues paused in the same way.
 */
const input = workerData as EngineHostInput;
const post = (message: EngineHostMessage): void => parentPort!.postMessage(message);
const log = (line: string): void => post({ type: 'log', line });

const live = connectLive(input.livePort);
const storeClient = createStoreClient(input.storagePort);
const store = announceChanges(storeClient, live);
const memoryQueue = createMemoryQueue();
const queue = announceJobs(memoryQueue, live);
const clock = createOwnClock(systemClock);
const studies = createStudyFactory();
const processId = `engine-${process.pid}-${randomUUID().slice(0, 8)}`;
const metricLog = input.metricLog ? createMetricLog({ stream: process.stdout, processId, clock }) : null;
const shared = { store, queue, clock, studies, live, metricLog, log, deploymentId: input.deploymentId };

const workers: WorkerRole[] = [];

// Whoever had this folder before is gone.
await store.forgetLeases();
const runner = startRunnerRole({
  ...shared,
  processId: `runner-${process.pid}-${randomUUID().slice(0, 8)}`,
  volatileQueue: {
    expedite: (runId) => {
      // First, or what is delivered early would be taken for what has waited its time.
      for (const worker of workers) worker.stopRun(runId);
      memoryQueue.expedite(runId);
    },
  },
  studyDir: input.studyDir,
});

let wanted = 0;
let scaling: Promise<void> = Promise.resolve();

const startWorker = (): Promise<WorkerRole> =>
  startWorkerRole({
    ...shared,
    processId: `worker-${process.pid}-${randomUUID().slice(0, 8)}`,
    queues: [input.defaultQueue],
    followsRuns: true,
    queueIsVolatile: true,
    version: VERSION,
    prefetch: input.prefetch,
    concurrency: input.concurrency,
    graceMs: input.graceMs,
  });

/** One after the other; the newest goes first, and finishes what it has begun. */
const scale = (replicas: number): Promise<void> => {
  wanted = replicas;
  const done = scaling.then(async () => {
    while (workers.length < wanted) workers.push(await startWorker());
    const leaving = workers.splice(wanted);
    void Promise.all(leaving.map((worker) => worker.close()));
  });
  scaling = done.catch(() => {});
  return done;
};

const stop = async (): Promise<void> => {
  await runner.close();
  await scaling;
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
  await memoryQueue.close();
  await studies.close();
  await metricLog?.close();
  await live.close();
  await storeClient.close();
};

const admin = createQueueAdmin({
  store,
  queue,
  clock,
  defaultQueue: input.defaultQueue,
  actor: 'queue administration',
});
answerCalls(input.callsPort, {
  ...admin,
  replicas: async () => workers.length,
  scale,
  stop: async () => {
    await stop();
    // After the answer.
    setImmediate(() => input.callsPort.close());
  },
} satisfies EngineHostMethods);

await scale(input.workers);
post({ type: 'ready' });
