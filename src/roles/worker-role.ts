import { hostname } from 'node:os';
import type { Job } from '../domain/job.ts';
import { isOver } from '../domain/run-state.ts';
import { createLedgerWriter } from '../ledger/ledger-writer.ts';
import type { RunContext } from '../ledger/run-context.ts';
import { createRunTracker } from '../ledger/run-tracker.ts';
import { toYeeterError, YeeterError } from '../lib/errors.ts';
import { type Closeable, delay } from '../lib/lifecycle.ts';
import type { LivePort } from '../live/port.ts';
import { createHealthSampler } from '../metrics/health.ts';
import type { MetricLog } from '../metrics/metric-log.ts';
import { createRecorder, type Recorder } from '../metrics/recorder.ts';
import type { QueuePort } from '../queue/port.ts';
import { drawAhead } from '../steps/draw-ahead.ts';
import { createStudyFactory, type StudyFactory } from '../steps/study-factory.ts';
import type { ControlState, CoordinationPort, WorkerState } from '../storage/coordination-port.ts';
import { createWorker } from '../worker/consume.ts';
import type { LedgerClock } from './ledger-clock.ts';
import { createRunSession, type RunSession } from './run-session.ts';
import { closeLedger } from './runner-role.ts';

const HEARTBEAT_INTERVAL_MS = 2000;
const HEALTH_INTERVAL_MS = 1000;
const CONTROL_INTERVAL_MS = 500;
/** A run without jobs here for so long is let go of; its next job opens it again. */
const SESSION_IDLE_MS = 60_000;

export interface WorkerRoleOptions {
  store: CoordinationPort;
  queue: QueuePort;
  queues: readonly string[];
  /** Works off the queues of all runs that are not over, too. @default false */
  followsRuns?: boolean;
  /** Tells of new runs, whose queues are then followed at once. */
  live?: LivePort;
  /** Shared with others, whoever closes it. @default one of its own */
  studies?: StudyFactory;
  /** The queue dies with this process, so that the ledger need not know what was handed to it. @default false */
  queueIsVolatile?: boolean;
  deploymentId: string;
  processId: string;
  clock: LedgerClock;
  version: string;
  prefetch: number;
  concurrency: number;
  /** How long a closing worker may finish what it has begun, milliseconds. */
  graceMs: number;
  /** @default none */
  metricLog?: MetricLog | null;
  log: (line: string) => void;
}

export interface WorkerRole extends Closeable {
  /** Resolves when it has closed; rejects when the ledger failed. */
  ended: Promise<void>;
  /** Settles the jobs of a run unexecuted from now on, without waiting to be told by the ledger. */
  stopRun(runId: number): void;
}

interface OpenRun {
  session: RunSession;
  recorder: Recorder;
  lastJobMs: number;
}

/**
 * Works off queues until it is closed. Closing stops consuming, hands back what has not begun, finishes what has
 * within the grace period, and stores every row.
 */
export async function startWorkerRole(options: WorkerRoleOptions): Promise<WorkerRole> {
  const { store, queue, clock, log } = options;
  await queue.declare(options.queues);
  const queues = new Set(options.queues);
  const startedAtMs = clock.nowMs();
  const runs = new Map<number, Promise<OpenRun | null>>();
  const opened = new Map<number, OpenRun>();
  const stopped = new Set<number>();
  const studies = options.studies ?? createStudyFactory();
  const saySo = (error: unknown): void => log(toYeeterError(error).message);
  let state: WorkerState = 'starting';
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});

  const ledger = createLedgerWriter({
    store,
    metricLog: options.metricLog ?? null,
    // Half of what may be in hand at a time, with two rows each: the other half comes meanwhile. Where the ledger is in
    // this process, nothing is spent on a flush by being asked for more often.
    worthwhile: options.queueIsVolatile ? 0 : options.prefetch,
    takeWindows: (force) => [...opened.values()].flatMap(({ recorder }) => recorder.takeWindows(force)),
    onFault: (fault) => {
      log(`${fault.code}: ${fault.message}`);
      ended.reject(fault);
      void close();
    },
  });

  const open = async (runId: number): Promise<OpenRun | null> => {
    const run = await store.getRun(runId).catch((error) => {
      if (error instanceof YeeterError && error.code === 'RUN_NOT_FOUND') return null;
      throw error;
    });
    if (!run) return null;
    const recorder = createRecorder({
      runId,
      processId: options.processId,
      clock,
      metricLog: options.metricLog ?? null,
    });
    const session = createRunSession({
      run,
      endpoints: run.endpoints,
      limits: run.limits,
      deploymentId: options.deploymentId,
      ledger,
      recorder,
      tracker: createRunTracker(() => {}),
      studies,
      studyDir: null,
      clock,
      clockUncertaintyUs: () => clock.uncertaintyUs ?? Number.POSITIVE_INFINITY,
      defaultConnections: options.concurrency,
      shares: { store, processId: options.processId },
      onBudgetSpent: () => store.requestCancel(runId).catch(saySo),
    });
    if (run.cancelRequested || stopped.has(runId) || isOver(run.status)) session.stop();
    // In the background: the first jobs wait for the pictures that they need, and no longer.
    else
      void drawAhead(studies, run.template, run.identity, run.patientCount, session.context.stop).catch(
        saySo,
      );
    const openRun = { session, recorder, lastJobMs: clock.nowMs() };
    opened.set(runId, openRun);
    return openRun;
  };

  const contextOf = async (runId: number): Promise<RunContext | null> => {
    let opening = runs.get(runId);
    if (!opening) {
      opening = open(runId);
      runs.set(runId, opening);
      opening.catch(() => runs.delete(runId));
    }
    const openRun = await opening;
    if (!openRun) runs.delete(runId);
    else openRun.lastJobMs = clock.nowMs();
    return openRun?.session.context ?? null;
  };

  const worker = createWorker({
    queue,
    queues: options.queues,
    workerId: options.processId,
    prefetch: options.prefetch,
    concurrency: options.concurrency,
    contextOf: ({ runId }) => contextOf(runId),
    ...(options.queueIsVolatile
      ? {}
      : { settlementOf: ({ runId, jobId }: Job) => store.settlementOf(runId, jobId) }),
  });

  const health = createHealthSampler({ runId: 0, processId: options.processId, clock });
  const sampleHealth = (): void => {
    const row = health.sample();
    for (const runId of opened.keys()) ledger.health({ ...row, runId });
  };

  const heartbeat = async (): Promise<void> => {
    await clock.synchronise(() =>
      store.heartbeat({
        workerId: options.processId,
        host: hostname(),
        pid: process.pid,
        version: options.version,
        queues: [...queues],
        concurrency: options.concurrency,
        busy: worker.busy,
        jobs: worker.attempts,
        state,
        held: Object.fromEntries(worker.held),
        startedAtMs,
      }),
    );
  };

  const follow = async (active: readonly string[]): Promise<void> => {
    const added = active.filter((name) => !queues.has(name));
    if (added.length === 0) return;
    await queue.declare(added);
    for (const name of added) queues.add(name);
    worker.addQueues(added);
  };

  const applyControl = (control: ControlState): void => {
    if (options.followsRuns) void follow(control.activeQueues).catch(saySo);
    const paused = Object.entries(control.queueModes).filter(([, mode]) => mode === 'paused');
    worker.setPaused(new Set(paused.map(([name]) => name)));
    for (const runId of control.cancelledRuns) stopRun(runId);
  };

  const stopRun = (runId: number): void => {
    stopped.add(runId);
    opened.get(runId)?.session.stop();
  };

  const letIdleRunsGo = async (): Promise<void> => {
    for (const [runId, { session, recorder, lastJobMs }] of opened) {
      if (clock.nowMs() - lastJobMs < SESSION_IDLE_MS) continue;
      opened.delete(runId);
      stopped.delete(runId);
      runs.delete(runId);
      ledger.windows(recorder.takeWindows(true));
      await session.close();
    }
  };

  const askControl = (): void => void store.control().then(applyControl, saySo);

  const heartbeatTimer = setInterval(() => void heartbeat().catch(saySo), HEARTBEAT_INTERVAL_MS);
  const healthTimer = setInterval(sampleHealth, HEALTH_INTERVAL_MS);
  const controlTimer = setInterval(() => {
    askControl();
    void letIdleRunsGo();
  }, CONTROL_INTERVAL_MS);
  const forget = options.live?.subscribe((fact) => {
    if (fact.kind === 'run_created') askControl();
    else if (fact.kind === 'run_over')
      ledger.windows(opened.get(fact.runId)?.recorder.takeWindows(true) ?? []);
  });

  state = 'working';
  await heartbeat();

  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      state = 'stopping';
      forget?.();
      const finished = worker.close();
      const cutting = new AbortController();
      void delay(options.graceMs, cutting.signal).then((late) => {
        if (late) for (const { session } of opened.values()) session.cut();
      });
      await finished;
      cutting.abort();
      clearInterval(heartbeatTimer);
      clearInterval(healthTimer);
      await health.close();
      clearInterval(controlTimer);
      await closeLedger(ledger);
      for (const { session } of opened.values()) await session.close();
      if (!options.studies) await studies.close();
      state = 'stopped';
      await heartbeat().catch(saySo);
      ended.resolve();
    })();
    return closed;
  };
  return { ended: ended.promise, stopRun, close, [Symbol.asyncDispose]: close };
}
