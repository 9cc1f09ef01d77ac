import { asyncQueues } from '../domain/async-queues.ts';
import { createLedgerWriter } from '../ledger/ledger-writer.ts';
import { createRunTracker } from '../ledger/run-tracker.ts';
import { systemClock } from '../lib/clock.ts';
import { YeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { createSemaphore } from '../lib/semaphore.ts';
import { createHealthSampler } from '../metrics/health.ts';
import type { MetricLog } from '../metrics/metric-log.ts';
import { createRecorder } from '../metrics/recorder.ts';
import { createMemoryQueue } from '../queue/memory/memory-queue.ts';
import { decideRunEnd } from '../runner/finish-run.ts';
import { startIterations } from '../runner/orchestrate.ts';
import { drawAhead } from '../steps/draw-ahead.ts';
import { createStudyFactory } from '../steps/study-factory.ts';
import { allFinished } from '../storage/all-rows.ts';
import type { StoragePort } from '../storage/port.ts';
import { createWorker } from '../worker/consume.ts';
import type { EngineInput, EngineProgress } from './engine-protocol.ts';
import { createRunSession, sampleDepths } from './run-session.ts';

/** One run in one process, with its queue in memory. */
export interface Engine extends Closeable {
  /** Resolves when the run is over and its accounts are stored; with the fault when they could not be. */
  run(): Promise<YeeterError | null>;
  stop(): void;
  progress(): EngineProgress;
}

const SAMPLE_INTERVAL_MS = 1000;
/** Jobs in hand beyond those that are executed: the more rows are stored together, the less each costs. */
const JOBS_BEING_STORED = 2000;

/** Who is told what happens. */
export interface EngineListeners {
  /** Pictures, before the run begins. */
  onDrawn?: (drawn: number, underWay: number) => void;
  metricLog?: MetricLog | null;
}

export async function createEngine(
  input: Omit<EngineInput, 'storagePort'>,
  store: StoragePort,
  processId: string,
  { onDrawn, metricLog = null }: EngineListeners = {},
): Promise<Engine> {
  const run = await store.getRun(input.runId);
  const clock = systemClock;
  const recorder = createRecorder({ runId: run.id, processId, clock, metricLog });
  const ledger = createLedgerWriter({
    store,
    takeWindows: (force) => recorder.takeWindows(force),
    metricLog,
    onFault: () => {
      session.stop();
      tracker.abandon();
    },
  });
  const places = createSemaphore(run.concurrency);
  const tracker = createRunTracker(places.release);
  const studies = createStudyFactory(onDrawn ? { onDrawn } : {});
  const queue = createMemoryQueue();
  const session = createRunSession({
    run,
    endpoints: input.endpoints,
    limits: input.limits,
    deploymentId: input.deploymentId,
    ledger,
    recorder,
    tracker,
    studies,
    studyDir: input.studyDir,
    clock,
    defaultConnections: run.concurrency,
    onStop: () => queue.expedite(run.id),
  });
  const { context } = session;
  const { events } = context;
  const queues = asyncQueues(run.template);
  const worker = createWorker({
    queue,
    queues,
    workerId: processId,
    prefetch: run.concurrency + JOBS_BEING_STORED,
    concurrency: run.concurrency,
    contextOf: () => context,
  });
  const health = createHealthSampler({ runId: run.id, processId, clock });
  const sample = async (): Promise<void> => {
    ledger.health(health.sample());
    await sampleDepths(queue, queues, run.id, ledger, clock);
  };
  const sampleTimer = setInterval(sample, SAMPLE_INTERVAL_MS);

  const runToEnd = async (): Promise<YeeterError | null> => {
    const finished = input.resumed ? await allFinished(store, run.id) : new Set<number>();
    await drawAhead(studies, run.template, run.identity, run.patientCount, context.stop);
    await store.transitionRun(run.id, input.resumed ? 'resume' : 'start');
    events.run('INFO', `started for ${run.patientCount} patients, ${run.concurrency} at a time`);
    await startIterations({
      context,
      queue,
      places,
      isSettledElsewhere: (iteration) => finished.has(iteration),
      resumed: input.resumed,
      holdPlaces: true,
    });
    const started = finished.size + tracker.started;
    if (!ledger.fault && tracker.inFlight > 0) {
      await store.transitionRun(run.id, 'runner_ended', { startedIterations: started });
    }
    await tracker.idle();
    return conclude(started);
  };

  /** Once terminal rows equal iterations started: rows first, then the status that says they are complete. */
  const conclude = async (started: number): Promise<YeeterError | null> => {
    const event = decideRunEnd({
      failed: tracker.failed,
      cancelled: context.stop.aborted,
      onFailure: run.onFailure,
      faulted: ledger.fault !== null,
    });
    events.runEnded(event, tracker.failed);
    try {
      clearInterval(sampleTimer);
      // Jobs leave their queue once their rows are stored.
      await ledger.caughtUp();
      await sample();
      await health.close();
      await ledger.close();
      const stored = await store.countFinished(run.id);
      if (stored !== started) {
        const what = `run ${run.id}: ${started} iterations started, ${stored} have their terminal row`;
        throw new YeeterError('INTERNAL', what);
      }
      await store.transitionRun(run.id, event, { startedIterations: started });
      return null;
    } catch (thrown) {
      return thrown instanceof YeeterError
        ? thrown
        : new YeeterError('STORAGE_FAILED', String(thrown), { cause: thrown });
    }
  };

  const close = async (): Promise<void> => {
    await worker.close();
    await queue.close();
    await session.close();
    await studies.close();
  };

  return {
    run: runToEnd,
    stop: session.stop,
    progress: () => {
      const orders = recorder.live('order_ack');
      const stores = recorder.live('dicom_store');
      return {
        started: tracker.started,
        completed: tracker.completed,
        failed: tracker.failed,
        cancelled: tracker.cancelled,
        inFlight: tracker.inFlight,
        orders: orders.count,
        instances: stores.count,
        bytes: stores.bytes,
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
