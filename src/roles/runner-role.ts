import { createLedgerWriter, type LedgerWriter } from '../ledger/ledger-writer.ts';
import type { Clock } from '../lib/clock.ts';
import { toYeeterError, type YeeterError } from '../lib/errors.ts';
import { type Closeable, delay } from '../lib/lifecycle.ts';
import type { LivePort } from '../live/port.ts';
import type { MetricLog } from '../metrics/metric-log.ts';
import { createRecorder, type Recorder } from '../metrics/recorder.ts';
import type { QueueMaintenance, QueuePort } from '../queue/port.ts';
import { createStudyFactory, type StudyFactory } from '../steps/study-factory.ts';
import type { ControlState, CoordinationPort, RunClaim } from '../storage/coordination-port.ts';
import { type ClaimedRun, startClaimedRun, type VolatileQueue } from './claimed-run.ts';

const DEFAULT_LEASE_MS = 15_000;
/** A lease outlasts so many renewals that fail. */
const RENEWALS_A_LEASE = 3;
const CONTROL_INTERVAL_MS = 500;
const IDLE_POLL_MS = 500;
/** Rows of a runner hold nothing up: more of them go together than a worker's, whose jobs wait for theirs. */
const ROWS_GATHER_MS = 20;

export interface RunnerRoleOptions {
  store: CoordinationPort;
  queue: QueuePort & QueueMaintenance;
  deploymentId: string;
  processId: string;
  clock: Clock;
  /** Runs at a time. @default 4 */
  maxRuns?: number;
  /**
   * Set where the queue dies with this process: what was handed to it is run again after a restart, and the ledger
   * need not know of it.
   */
  volatileQueue?: VolatileQueue;
  /** Tells of new runs, which are then claimed at once. */
  live?: LivePort;
  /** Shared with others, whoever closes it. @default one of its own */
  studies?: StudyFactory;
  /** A run that its runner has not renewed for so long goes to another, milliseconds. @default 15000 */
  leaseMs?: number;
  /** Where steps with `store: disk` write; null refuses them. */
  studyDir: string | null;
  /** @default none */
  metricLog?: MetricLog | null;
  log: (line: string) => void;
}

/**
 * Claims runs and carries them to their end until it is closed. Closing gives the claimed runs back: another runner
 * goes on with them, or this one when it is started again.
 */
export function startRunnerRole(options: RunnerRoleOptions): Closeable & { ended: Promise<void> } {
  const { store, clock, maxRuns = 4, leaseMs = DEFAULT_LEASE_MS, log } = options;
  const closing = new AbortController();
  const active = new Map<number, ClaimedRun>();
  const recorders = new Map<number, Recorder>();
  const studies = options.studies ?? createStudyFactory();
  const ledger = createLedgerWriter({
    store,
    metricLog: options.metricLog ?? null,
    maxDelayMs: ROWS_GATHER_MS,
    takeWindows: (force) => [...recorders.values()].flatMap((recorder) => recorder.takeWindows(force)),
    onFault: (fault) => fail(fault),
  });
  const ended = Promise.withResolvers<void>();

  const fail = (fault: YeeterError): void => {
    log(`${fault.code}: ${fault.message}`);
    ended.reject(fault);
    void close();
  };

  const take = (claim: RunClaim): void => {
    const { run } = claim;
    log(`run ${run.id} ${claim.resumed ? 'taken over' : 'claimed'}: ${run.template.name}`);
    const recorder = createRecorder({
      runId: run.id,
      processId: options.processId,
      clock,
      metricLog: options.metricLog ?? null,
    });
    recorders.set(run.id, recorder);
    const claimed = startClaimedRun({ ...options, claim, leaseMs, ledger, recorder, studies });
    // Ours, when the ledger was away for longer than a lease: the one before is fenced off.
    active.get(run.id)?.giveBack();
    active.set(run.id, claimed);
    void claimed.ended
      .then(
        (status) => log(`run ${run.id} ${status ?? 'given back'}`),
        (error) => log(`run ${run.id}: ${toYeeterError(error).message}`),
      )
      .finally(() => {
        if (active.get(run.id) !== claimed) return;
        active.delete(run.id);
        recorders.delete(run.id);
      });
  };

  const claimLoop = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const claim =
        active.size < maxRuns ? await store.claimRun(options.processId, leaseMs).catch(sayAndSkip) : null;
      if (claim) take(claim);
      else await delay(IDLE_POLL_MS, AbortSignal.any([closing.signal, woken.signal]));
      if (woken.signal.aborted) woken = new AbortController();
    }
  };
  let woken = new AbortController();
  const forget = options.live?.subscribe((fact) => {
    if (fact.kind === 'run_created') woken.abort();
  });

  const sayAndSkip = (error: unknown): null => {
    log(toYeeterError(error).message);
    return null;
  };

  const renewTimer = setInterval(() => {
    for (const claimed of active.values()) void claimed.renew().catch(sayAndSkip);
  }, leaseMs / RENEWALS_A_LEASE);
  const controlTimer = setInterval(() => {
    if (active.size === 0) return;
    store.control().then((state) => applyControl(active, state), sayAndSkip);
  }, CONTROL_INTERVAL_MS);

  const looping = claimLoop();
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      closing.abort();
      forget?.();
      await looping;
      const runs = [...active.values()];
      for (const claimed of runs) claimed.giveBack();
      await Promise.allSettled(runs.map((claimed) => claimed.ended));
      clearInterval(renewTimer);
      clearInterval(controlTimer);
      await closeLedger(ledger);
      if (!options.studies) await studies.close();
      ended.resolve();
    })();
    return closed;
  };
  ended.promise.catch(() => {});
  return { ended: ended.promise, close, [Symbol.asyncDispose]: close };
}

function applyControl(active: ReadonlyMap<number, ClaimedRun>, state: ControlState): void {
  for (const [runId, claimed] of active) {
    claimed.setQueueModes(state.queueModes);
    if (state.cancelledRuns.includes(runId)) claimed.cancel();
  }
}

/** A ledger that has failed has said so already. */
export async function closeLedger(ledger: LedgerWriter): Promise<void> {
  try {
    await ledger.close();
  } catch (error) {
    if (error !== ledger.fault) throw error;
  }
}
