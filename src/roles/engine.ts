import type { Template } from '../domain/template.ts';
import { createEventLog, RUN_END_STEP } from '../ledger/event-log.ts';
import { createLedgerWriter } from '../ledger/ledger-writer.ts';
import type { RunContext } from '../ledger/run-context.ts';
import { createRunTracker } from '../ledger/run-tracker.ts';
import { systemClock } from '../lib/clock.ts';
import { YeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { createSemaphore } from '../lib/semaphore.ts';
import { createHealthSampler } from '../metrics/health.ts';
import { createRecorder } from '../metrics/recorder.ts';
import { createMemoryQueue } from '../queue/memory/memory-queue.ts';
import { decideRunEnd } from '../runner/finish-run.ts';
import { startIterations } from '../runner/orchestrate.ts';
import { createClients } from '../steps/clients.ts';
import { drawAhead } from '../steps/draw-ahead.ts';
import { unlimited } from '../steps/endpoint-gate.ts';
import { compileGenerators } from '../steps/generate-hl7.ts';
import { startState } from '../steps/start-state.ts';
import { createStudyFactory } from '../steps/study-factory.ts';
import type { StoragePort } from '../storage/port.ts';
import { createWorker } from '../worker/consume.ts';
import { type EngineInput, type EngineProgress, STOP_GRACE_MS } from './engine-protocol.ts';

/** One run in one process, with its queue in memory. */
export interface Engine extends Closeable {
  /** Resolves when the run is over and its accounts are stored; with the fault when they could not be. */
  run(): Promise<YeeterError | null>;
  stop(): void;
  progress(): EngineProgress;
}

const PAGE = 10_000;
const SAMPLE_INTERVAL_MS = 1000;

export async function createEngine(
  input: Omit<EngineInput, 'storagePort'>,
  store: StoragePort,
  processId: string,
  onDrawn?: (drawn: number, underWay: number) => void,
): Promise<Engine> {
  const run = await store.getRun(input.runId);
  const clock = systemClock;
  const stop = new AbortController();
  const wires = new AbortController();
  const recorder = createRecorder({ runId: run.id, processId, clock });
  const ledger = createLedgerWriter({
    store,
    takeWindows: (force) => recorder.takeWindows(force),
    onFault: () => {
      stopRun();
      tracker.abandon();
    },
  });
  const events = createEventLog({ ledger, runId: run.id, clock });
  const places = createSemaphore(run.concurrency);
  const tracker = createRunTracker(places.release);
  const clients = createClients({
    endpoints: input.endpoints,
    limits: (endpoint) => input.limits[endpoint.name] ?? unlimited(run.concurrency),
    clock,
    onBudgetSpent: (endpoint) => {
      events.run('WARN', `endpoint "${endpoint.name}" has had all the bytes that it may have: stopping`);
      stopRun();
    },
    onApplicationAck: (latencyUs, accepted) => recorder.record('application_ack', latencyUs, accepted),
  });
  const studies = createStudyFactory(onDrawn ? { onDrawn } : {});
  const context: RunContext = {
    deploymentId: input.deploymentId,
    run,
    environment: {
      template: run.template,
      identity: run.identity,
      generators: compileGenerators(run.template),
      clients,
      studies,
      recorder,
      clock,
      studyDir: input.studyDir,
      signal: wires.signal,
    },
    ledger,
    events,
    tracker,
    stop: stop.signal,
  };
  const queue = createMemoryQueue();
  const queues = asyncQueues(run.template);
  const worker = createWorker({
    queue,
    queues,
    workerId: processId,
    concurrency: run.concurrency,
    contextOf: () => context,
  });
  const health = createHealthSampler({ runId: run.id, processId, clock });
  const sample = async (): Promise<void> => {
    ledger.health(health.sample());
    const second = Math.floor(clock.nowMs() / 1000);
    const depths = await queue.depth(queues);
    ledger.depths(
      depths.map(({ queue: name, ready, unacknowledged, consumers }) => ({
        runId: run.id,
        queue: name,
        second,
        ready,
        unacknowledged,
        consumers,
      })),
    );
  };
  const sampleTimer = setInterval(sample, SAMPLE_INTERVAL_MS);

  const stopRun = (): void => {
    if (stop.signal.aborted) return;
    stop.abort();
    queue.expedite();
    setTimeout(() => wires.abort(), STOP_GRACE_MS).unref();
  };

  const runToEnd = async (): Promise<YeeterError | null> => {
    const finished = input.resumed ? await loadFinished(store, run.id) : new Set<number>();
    await drawAhead(studies, run.template, run.identity, run.patientCount, stop.signal);
    await store.transitionRun(run.id, input.resumed ? 'resume' : 'start');
    events.run('INFO', `started for ${run.patientCount} patients, ${run.concurrency} at a time`);
    await startIterations({
      context,
      queue,
      places,
      isFinished: (iteration) => finished.has(iteration),
      resumed: input.resumed,
      startState: (iteration) => startState(run.template, run.identity, iteration),
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
      cancelled: stop.signal.aborted,
      onFailure: run.onFailure,
      faulted: ledger.fault !== null,
    });
    events.run(event === 'over_ok' ? 'SUCCESS' : 'WARN', `ended: ${event}`, RUN_END_STEP);
    try {
      clearInterval(sampleTimer);
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
    await clients.close();
    await studies.close();
  };

  return {
    run: runToEnd,
    stop: stopRun,
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

function asyncQueues(template: Template): string[] {
  const queues = template.steps.filter((step) => step.execution === 'async').map((step) => step.queue);
  return [...new Set(queues)];
}

async function loadFinished(store: StoragePort, runId: number): Promise<Set<number>> {
  const finished = new Set<number>();
  for (let after = 0; ; ) {
    const page = await store.finishedIterations(runId, { after, limit: PAGE });
    for (const iteration of page) finished.add(iteration);
    if (page.length < PAGE) return finished;
    after = page.at(-1)!;
  }
}
