import { Counter, Gauge, Registry } from 'prom-client';
import { createCached } from '../../lib/cached.ts';
import type { Closeable } from '../../lib/lifecycle.ts';
import { VERSION } from '../../lib/version.ts';
import type { SystemState } from '../live/system-state.ts';
import { PROMETHEUS_METRICS, type PrometheusMetric } from './declarations.ts';
import { createProcessFigures } from './process-figures.ts';
import { type CounterStore, createRunCounters } from './run-counters.ts';

export interface PrometheusOptions {
  store: CounterStore;
  systemState: () => Promise<SystemState>;
  /** Socket.IO connections of this process. */
  sockets: () => number;
  /** Milliseconds of a clock that does not run backwards. */
  now: () => number;
  log: (line: string) => void;
}

export interface Prometheus extends Closeable {
  readonly contentType: string;
  /** The text of one scrape. What cannot be read is missing from it; figures of this process always are there. */
  text(): Promise<string>;
}

/** However many scrape, the ledger is read once in so long. */
const TTL_MS = 1000;
/** A reading that took long is not repeated soon: it may take this share of the time. */
const SHARE = 0.05;
/** Queues that have lines of their own. */
const MAX_QUEUES = 100;

/** Gauges that are absent when they cannot be read. */
const OF_THE_SYSTEM = [
  'yeeter_runs_active',
  'yeeter_workers',
  'yeeter_worker_slots',
  'yeeter_worker_busy_slots',
  'yeeter_queue_jobs',
  'yeeter_queue_consumers',
  'yeeter_queue_open',
] as const satisfies readonly PrometheusMetric[];

type Labels = Readonly<Record<string, string>>;

/** A registry of its own, so that several servers may live in one process. */
export function createPrometheus(options: PrometheusOptions): Prometheus {
  const registry = new Registry();
  const figures = createProcessFigures();
  const gauges = new Map<PrometheusMetric, Gauge>();
  const counters = new Map<PrometheusMetric, Counter>();
  for (const [key, { type, help, labels }] of Object.entries(PROMETHEUS_METRICS)) {
    const name = key as PrometheusMetric;
    const declared = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'gauge') gauges.set(name, new Gauge(declared));
    else counters.set(name, new Counter(declared));
  }
  const set = (name: PrometheusMetric, value: number, labels: Labels = {}): void =>
    gauges.get(name)!.set(labels, value);
  /** A counter that somebody else keeps. */
  const copied = new Map<PrometheusMetric, number>();
  const copy = (name: PrometheusMetric, value: number): void => {
    counters.get(name)!.inc(Math.max(0, value - (copied.get(name) ?? 0)));
    copied.set(name, value);
  };

  const runCounters = createRunCounters(options.store);
  const countRuns = createCached(
    async () => {
      for (const { metric, labels, by } of await runCounters.increases())
        counters.get(metric)!.inc(labels, by);
    },
    { ttlMs: TTL_MS, share: SHARE, now: options.now },
  );

  const orSay = (error: unknown): null => {
    options.log(`metrics: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  };

  const showSystem = async (): Promise<void> => {
    const state = await options.systemState().catch(orSay);
    for (const name of OF_THE_SYSTEM) gauges.get(name)!.reset();
    if (state) showState(state);
  };

  const showState = ({ activeRuns, workers, queues }: SystemState): void => {
    for (const status of ['PENDING', 'RUNNING', 'WAITING_ON_WORKERS'])
      set('yeeter_runs_active', activeRuns.filter((run) => run.status === status).length, { status });
    for (const state of ['starting', 'working', 'stopping'])
      set('yeeter_workers', workers.filter((worker) => worker.state === state).length, { state });
    set(
      'yeeter_worker_slots',
      workers.reduce((sum, { concurrency }) => sum + concurrency, 0),
    );
    set(
      'yeeter_worker_busy_slots',
      workers.reduce((sum, { busy }) => sum + busy, 0),
    );
    for (const { queue, consumers, mode, ...depth } of (queues ?? []).slice(0, MAX_QUEUES)) {
      for (const state of ['ready', 'unacknowledged', 'delayed', 'dead'] as const)
        set('yeeter_queue_jobs', depth[state], { queue, state });
      set('yeeter_queue_consumers', consumers, { queue });
      set('yeeter_queue_open', mode === 'open' ? 1 : 0, { queue });
    }
  };

  const showProcess = (): void => {
    const { cpuSeconds, memoryBytes, eventLoopDelaySeconds, startedAtSeconds } = figures.read();
    copy('yeeter_process_cpu_seconds_total', cpuSeconds);
    for (const [kind, bytes] of Object.entries(memoryBytes))
      set('yeeter_process_memory_bytes', bytes, { kind });
    for (const [quantile, seconds] of Object.entries(eventLoopDelaySeconds))
      set('yeeter_process_event_loop_delay_seconds', seconds, { quantile });
    set('yeeter_process_start_time_seconds', startedAtSeconds);
    set('yeeter_live_sockets', options.sockets());
    set('yeeter_build_info', 1, { version: VERSION, node: process.version });
  };

  const close = async (): Promise<void> => {
    figures.close();
    registry.clear();
  };
  return {
    contentType: registry.contentType,
    text: async () => {
      showProcess();
      await Promise.all([countRuns().catch(orSay), showSystem()]);
      return await registry.metrics();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
