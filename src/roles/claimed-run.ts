import { once } from 'node:events';
import { asyncQueues } from '../domain/async-queues.ts';
import type { Job } from '../domain/job.ts';
import type { RunStatus } from '../domain/run-state.ts';
import type { LedgerWriter } from '../ledger/ledger-writer.ts';
import { endIteration } from '../ledger/run-context.ts';
import { createRunTracker } from '../ledger/run-tracker.ts';
import { terminalRow } from '../ledger/terminal-row.ts';
import { type UnexecutedEnd, unexecutedRows } from '../ledger/unexecuted.ts';
import type { Clock } from '../lib/clock.ts';
import { type Failure, failure, toYeeterError } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import { createSemaphore } from '../lib/semaphore.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { QueueMaintenance, QueuePort } from '../queue/port.ts';
import { decideRunEnd } from '../runner/finish-run.ts';
import { startIterations } from '../runner/orchestrate.ts';
import { drawAhead } from '../steps/draw-ahead.ts';
import type { StudyFactory } from '../steps/study-factory.ts';
import { allFinished, allHandedOff } from '../storage/all-rows.ts';
import type { ControlState, CoordinationPort, RunClaim } from '../storage/coordination-port.ts';
import { createRunPlaces } from './run-places.ts';
import { createRunSession, sampleDepths } from './run-session.ts';

export interface ClaimedRunOptions {
  claim: RunClaim;
  /** What a renewal renews it for, milliseconds. */
  leaseMs: number;
  store: CoordinationPort;
  queue: QueuePort & QueueMaintenance;
  deploymentId: string;
  volatileQueue?: VolatileQueue;
  processId: string;
  ledger: LedgerWriter;
  recorder: Recorder;
  studies: StudyFactory;
  studyDir: string | null;
  clock: Clock;
}

/** A queue whose jobs live as long as this process. */
export interface VolatileQueue {
  /** Delivers what is delayed of a run at once. */
  expedite(runId: number): void;
}

export interface ClaimedRun {
  renew(): Promise<void>;
  cancel(): void;
  setQueueModes(modes: ControlState['queueModes']): void;
  /** Stops without ending the run, so that another runner goes on with it. */
  giveBack(): void;
  /** The run's final status; null when it was given back or taken over. */
  ended: Promise<RunStatus | null>;
}

const SAMPLE_INTERVAL_MS = 1000;
const POLL_MS = 200;
const RECONCILE_INTERVAL_MS = 10_000;
/** A broker that does not answer is asked again after this, milliseconds. */
const DECLARE_RETRY_MS = 1000;
/** Jobs of a cancelled run that wait for their time are taken from their queues so often. */
const WITHDRAW_INTERVAL_MS = 1000;
const LAST_SAMPLE_MS = 3000;
/** After a cancel, workers have so long to settle what they hold or receive; the rest is ended here. */
const CANCEL_GRACE_MS = 6000;
type UnexecutedOutcome = Omit<UnexecutedEnd, 'workerId' | 'nowUs'>;

const GIVEN_UP: UnexecutedOutcome = {
  outcome: 'dead',
  terminal: 'failed',
  failure: failure(
    'JOB_UNDELIVERABLE',
    'the broker gave the job up: it was handed out too often without being ended',
  ),
};
const LEFT_WAITING = failure('CANCELLED', 'the run was cancelled while the job waited in its queue');
const WITHDRAWN: UnexecutedOutcome = { outcome: 'cancelled', terminal: 'cancelled', failure: LEFT_WAITING };

export function startClaimedRun(options: ClaimedRunOptions): ClaimedRun {
  const { claim, store, queue, volatileQueue, ledger, recorder, studies, clock } = options;
  const { run, fence } = claim;
  const inlinePlaces = createSemaphore(run.concurrency);
  const tracker = createRunTracker(inlinePlaces.release);
  const session = createRunSession({
    run,
    endpoints: run.endpoints,
    limits: run.limits,
    deploymentId: options.deploymentId,
    ledger,
    recorder,
    tracker,
    studies,
    studyDir: options.studyDir,
    clock,
    defaultConnections: run.concurrency,
    shares: { store, processId: options.processId },
    onBudgetSpent: () => store.requestCancel(run.id).catch(() => {}),
  });
  const { context } = session;
  const stopped = once(context.stop, 'abort');
  const queues = asyncQueues(run.template);
  /** What it has not started by then, because a failure stopped it, it never starts. */
  const runnerHadEnded = run.status === 'WAITING_ON_WORKERS';
  const lastIteration = runnerHadEnded ? run.startedIterations : run.patientCount;
  let cancelled = run.cancelRequested;
  let givenBack = false;
  let modes: ControlState['queueModes'] = {};
  /** Ended or handed off before this life of the run. */
  let before = new Set<number>();

  const startedSoFar = (): number => before.size + tracker.started;

  const sample = async (): Promise<void> => {
    await store.setStarted(run.id, fence, startedSoFar());
    await sampleDepths(queue, queues, run.id, ledger, clock);
  };
  // What fails here shows in what the run itself does next.
  const sampleTimer = setInterval(() => void sample().catch(() => {}), SAMPLE_INTERVAL_MS);

  let reconciledAtMs = performance.now();
  const reconcileInTurn = async (): Promise<void> => {
    if (performance.now() - reconciledAtMs < RECONCILE_INTERVAL_MS) return;
    await reconcile();
    reconciledAtMs = performance.now();
  };
  const places = createRunPlaces({
    run,
    store,
    queue,
    queues,
    isVolatile: volatileQueue !== undefined,
    started: startedSoFar,
    isDraining: () => queues.some((name) => modes[name] === 'draining'),
    whileFull: reconcileInTurn,
  });

  /** @returns why they can never be used as they are; null when they can, or the run is to stop before that is known */
  const declareQueues = async (): Promise<Failure | null> => {
    for (let told = false; !cancelled && !givenBack; await delay(DECLARE_RETRY_MS, context.stop)) {
      try {
        // The client waits for a broker that is away; a cancelled run does not.
        await Promise.race([queue.declare(queues), stopped]);
        return null;
      } catch (error) {
        const { code, message, retryable } = toYeeterError(error);
        if (!retryable) return failure(code, message);
        if (!told) context.events.run('WARN', `waits for its queues: ${message}`);
        told = true;
      }
    }
    return null;
  };

  const carry = async (): Promise<RunStatus | null> => {
    const refused = await declareQueues();
    if (refused) return endRefused(refused);
    if (givenBack) return giveUp();
    if (claim.resumed) {
      // In this order: while workers go on, an iteration leaves the first list for the second.
      before = new Set(volatileQueue ? [] : await allHandedOff(store, run.id));
      for (const iteration of await allFinished(store, run.id)) before.add(iteration);
    }
    if (cancelled) session.stop();
    if (run.startedIterations < lastIteration) {
      await drawAhead(studies, run.template, run.identity, run.patientCount, context.stop);
    }
    if (!runnerHadEnded) await store.transitionRun(run.id, claim.resumed ? 'resume' : 'start', { fence });
    context.events.run(claim.resumed ? 'WARN' : 'INFO', claim.resumed ? 'resumed' : 'started');
    await startIterations({
      context,
      queue,
      places: inlinePlaces,
      lastIteration,
      isSettledElsewhere: (iteration) => before.has(iteration),
      resumed: claim.resumed,
      holdPlaces: false,
      notesHandOffs: !volatileQueue,
      mayStart: places.free,
    });
    await tracker.idle();
    await ledger.flushed();
    if (givenBack) return giveUp();
    const started = startedSoFar();
    if (!runnerHadEnded) {
      await store.transitionRun(run.id, 'runner_ended', { startedIterations: started, fence });
    }
    return awaitWorkers(started);
  };

  const settle = (jobs: readonly Job[], end: UnexecutedOutcome): Promise<unknown> =>
    store.writeLedger(
      unexecutedRows(run, jobs, { ...end, workerId: options.processId, nowUs: clock.epochUs() }),
    );
  /** A broker that does not answer holds nobody up here: what is still to be done is done at the next look. */
  const onEachQueue = async (work: (name: string) => Promise<unknown>): Promise<void> => {
    for (const name of queues) {
      await work(name).catch((error) => {
        if (toYeeterError(error).code !== 'QUEUE_UNREACHABLE') throw error;
      });
    }
  };
  /** A job that the broker gave up, since no worker ever ended it, has been settled by nobody. */
  const reconcile = (): Promise<void> =>
    onEachQueue((name) => queue.reconcileDead(name, (jobs) => settle(jobs, GIVEN_UP)));
  /** Jobs that wait for their time would hold up the end of a cancelled run, and the queue would seem to have work. */
  const withdraw = (): Promise<void> =>
    onEachQueue((name) => queue.withdraw(name, run.id, (jobs) => settle(jobs, WITHDRAWN)));

  const awaitWorkers = async (started: number): Promise<RunStatus | null> => {
    let cancelledAtMs: number | null = null;
    let withdrawnAtMs = Number.NEGATIVE_INFINITY;
    for (;;) {
      const counts = await places.count();
      if (counts.completed + counts.failed + counts.cancelled >= started) return conclude(counts.failed);
      if (givenBack) return giveUp();
      await reconcileInTurn();
      if (cancelled) {
        cancelledAtMs ??= performance.now();
        if (!volatileQueue && performance.now() - withdrawnAtMs > WITHDRAW_INTERVAL_MS) {
          await withdraw();
          withdrawnAtMs = performance.now();
        }
        if (performance.now() - cancelledAtMs > CANCEL_GRACE_MS) await endUnended('cancelled', LEFT_WAITING);
      }
      await delay(Math.max(POLL_MS, places.nextCountMs - performance.now()));
    }
  };

  /** Its queues can never be used as they are, so nothing of it can go on. */
  const endRefused = async (why: Failure): Promise<RunStatus> => {
    session.stop();
    before = await allFinished(store, run.id);
    for (const iteration of await unended()) before.add(iteration);
    await endUnended('failed', why);
    context.events.run('FAILURE', `${why.code}: ${why.message}`);
    return conclude((await places.count()).failed, true);
  };

  const unended = async (): Promise<number[]> => {
    if (!volatileQueue) return allHandedOff(store, run.id);
    const finished = await allFinished(store, run.id);
    return Array.from({ length: tracker.latest }, (_, at) => at + 1).filter((n) => !finished.has(n));
  };

  const endUnended = async (outcome: 'cancelled' | 'failed', why: Failure): Promise<void> => {
    for (const iteration of await unended()) {
      const nowUs = clock.epochUs();
      const ending = {
        ...{ run, iteration, outcome, failure: why },
        ...{ failedStep: null, state: null, intendedStartUs: nowUs, nowUs, possiblyRepeated: false },
      };
      endIteration(context, terminalRow(ending));
    }
    await ledger.flushed();
  };

  const conclude = async (failed: number, faulted = false): Promise<RunStatus> => {
    // Whoever cancelled it may have been faster than the next look at what is asked of this process.
    cancelled ||= (await store.getRun(run.id)).cancelRequested;
    const event = decideRunEnd({ failed, cancelled, onFailure: run.onFailure, faulted });
    context.events.runEnded(event, failed);
    clearInterval(sampleTimer);
    // With depths, which a broker that is away does not tell.
    const sampled = new AbortController();
    void sample()
      .catch(() => {})
      .finally(() => sampled.abort());
    await delay(LAST_SAMPLE_MS, sampled.signal);
    ledger.windows(recorder.takeWindows(true));
    await ledger.flushed();
    const over = await store.transitionRun(run.id, event, { startedIterations: startedSoFar(), fence });
    await store.releaseLease(run.id, fence);
    return over.status;
  };

  const giveUp = async (): Promise<null> => {
    await store.setStarted(run.id, fence, startedSoFar());
    ledger.windows(recorder.takeWindows(true));
    await ledger.flushed();
    await store.releaseLease(run.id, fence);
    return null;
  };

  const leave = (): void => {
    givenBack = true;
    session.stop();
  };
  const ended = carry().finally(async () => {
    clearInterval(sampleTimer);
    await session.close();
  });

  return {
    renew: async () => {
      if (!(await store.renewLease(run.id, fence, options.leaseMs))) {
        leave();
        session.cut();
      }
    },
    cancel: () => {
      cancelled = true;
      session.stop();
      volatileQueue?.expedite(run.id);
    },
    setQueueModes: (next) => {
      modes = next;
    },
    giveBack: leave,
    ended,
  };
}
