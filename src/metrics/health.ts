import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../lib/clock.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import type { HealthRow } from './series.ts';

export interface HealthSampler extends Closeable {
  /** How the process was since the last call. */
  sample(): HealthRow;
}

export interface HealthSamplerOptions {
  runId: number;
  processId: string;
  clock: Clock;
}

/** Interval of the timer whose lateness is the delay; Node's histogram holds the interval too. */
const RESOLUTION_MS = 10;

/** The event loop of the thread that calls it, and CPU and memory of the whole process. */
export function createHealthSampler({ runId, processId, clock }: HealthSamplerOptions): HealthSampler {
  const loopDelay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loopDelay.enable();
  let lastUs = clock.monotonicUs();
  let lastCpu = process.cpuUsage();
  const lateUs = (intervalNs: number): number =>
    Math.max(0, Math.round(intervalNs / 1000 - RESOLUTION_MS * 1000));

  const sample = (): HealthRow => {
    const nowUs = clock.monotonicUs();
    const cpu = process.cpuUsage();
    const elapsedUs = nowUs - lastUs;
    const cpuUs = cpu.user - lastCpu.user + (cpu.system - lastCpu.system);
    const memory = process.memoryUsage();
    const row: HealthRow = {
      runId,
      processId,
      second: Math.floor(clock.nowMs() / 1000),
      cpuShare: elapsedUs > 0 ? cpuUs / elapsedUs : 0,
      loopDelayP99Us: loopDelay.count > 0 ? lateUs(loopDelay.percentile(99)) : 0,
      loopDelayMaxUs: loopDelay.count > 0 ? lateUs(loopDelay.max) : 0,
      rssBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
      externalBytes: memory.external,
    };
    lastUs = nowUs;
    lastCpu = cpu;
    loopDelay.reset();
    return row;
  };
  const close = async (): Promise<void> => {
    loopDelay.disable();
  };
  return { sample, close, [Symbol.asyncDispose]: close };
}
