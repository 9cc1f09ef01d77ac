import type { Endpoint, EndpointLimits } from '../domain/endpoint.ts';
import { unlimited } from '../domain/endpoint-limits.ts';
import { createEventLog } from '../ledger/event-log.ts';
import type { LedgerWriter } from '../ledger/ledger-writer.ts';
import type { RunContext } from '../ledger/run-context.ts';
import type { RunTracker } from '../ledger/run-tracker.ts';
import type { Clock } from '../lib/clock.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { QueuePort } from '../queue/port.ts';
import { createClients } from '../steps/clients.ts';
import { compileGenerators } from '../steps/generate-hl7.ts';
import { type Demand, type LimitShare, wholeShare } from '../steps/limit-share.ts';
import type { StudyFactory } from '../steps/study-factory.ts';
import type { RunRecord } from '../storage/port.ts';
import { createLedgerShare, type LedgerShareOptions } from './ledger-share.ts';

/** From the stop to the cutting of the wires, milliseconds. */
const STOP_GRACE_MS = 2000;

export interface RunSessionOptions {
  run: RunRecord;
  /** Every endpoint that the template names, resolved, and their limits. */
  endpoints: Readonly<Record<string, Endpoint>>;
  limits: Readonly<Record<string, EndpointLimits>>;
  deploymentId: string;
  ledger: LedgerWriter;
  recorder: Recorder;
  tracker: RunTracker;
  studies: StudyFactory;
  studyDir: string | null;
  clock: Clock;
  /** @default none: all instants are this process's */
  clockUncertaintyUs?: () => number;
  /** Where other processes use endpoints too: the store by which their limits are shared. @default none */
  shares?: { store: LedgerShareOptions['store']; processId: string };
  /** Connections to an endpoint that has no limits of its own. */
  defaultConnections: number;
  onStop?: () => void;
  /** An endpoint has had all the bytes that it may have; awaited before this session stops. */
  onBudgetSpent?: () => Promise<unknown>;
}

/** One run in this process: its context, its connections, and how it is stopped. */
export interface RunSession extends Closeable {
  context: RunContext;
  /** Starts nothing more; what is in flight is finished, or cut off after two seconds. May be called more than once. */
  stop(): void;
  /** Cuts the wires now. */
  cut(): void;
}

export function createRunSession(options: RunSessionOptions): RunSession {
  const { run, ledger, recorder, clock } = options;
  const stopping = new AbortController();
  const wires = new AbortController();
  const events = createEventLog({ ledger, runId: run.id, clock });

  const cut = (): void => wires.abort();
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    options.onStop?.();
    setTimeout(cut, STOP_GRACE_MS).unref();
  };

  const limitsOf = (endpoint: Endpoint): EndpointLimits =>
    options.limits[endpoint.name] ?? unlimited(options.defaultConnections);
  const shareOf = (endpoint: Endpoint, demand: Demand): LimitShare => {
    const limits = limitsOf(endpoint);
    if (!options.shares || !limits.shared) return wholeShare(limits);
    return createLedgerShare({
      ...{ store: options.shares.store, holder: `${options.shares.processId}/${run.id}`, runId: run.id },
      ...{ address: `${endpoint.hostname.toLowerCase()}:${endpoint.port}`, limits, demand, clock },
    });
  };

  const clients = createClients({
    endpoints: options.endpoints,
    limits: limitsOf,
    share: shareOf,
    clock,
    onBudgetSpent: async (endpoint) => {
      events.run('WARN', `endpoint "${endpoint.name}" has had all the bytes that it may have: stopping`);
      // What is refused from now on is stored after the run was marked.
      await options.onBudgetSpent?.();
      stop();
    },
    onApplicationAck: (latencyUs, accepted) => recorder.record('application_ack', latencyUs, accepted),
  });

  const close = async (): Promise<void> => {
    cut();
    await clients.close();
  };

  return {
    context: {
      deploymentId: options.deploymentId,
      run,
      environment: {
        template: run.template,
        identity: run.identity,
        generators: compileGenerators(run.template),
        clients,
        studies: options.studies,
        recorder,
        clock,
        studyDir: options.studyDir,
        signal: wires.signal,
      },
      ledger,
      events,
      tracker: options.tracker,
      stop: stopping.signal,
      clockUncertaintyUs: options.clockUncertaintyUs ?? (() => 0),
    },
    stop,
    cut,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Writes how deep the run's queues are now. */
export async function sampleDepths(
  queue: QueuePort,
  queues: readonly string[],
  runId: number,
  ledger: LedgerWriter,
  clock: Clock,
): Promise<void> {
  const second = Math.floor(clock.nowMs() / 1000);
  const depths = await queue.depth(queues);
  ledger.depths(
    depths.map(({ queue: name, ready, unacknowledged, consumers }) => ({
      runId,
      queue: name,
      second,
      ready,
      unacknowledged,
      consumers,
    })),
  );
}
