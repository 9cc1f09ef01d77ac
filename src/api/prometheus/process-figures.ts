import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Interval of the timer whose lateness is the delay; Node's histogram holds the interval too. */
const RESOLUTION_MS = 10;

export interface ProcessFigures {
  cpuSeconds: number;
  memoryBytes: { resident: number; heap: number; external: number };
  /** Since the last call, by quantile. */
  eventLoopDelaySeconds: Readonly<Record<string, number>>;
  startedAtSeconds: number;
}

/** CPU and memory of this process and the delay of this thread's event loop. */
export function createProcessFigures(): { read(): ProcessFigures; close(): void } {
  const loopDelay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loopDelay.enable();
  const late = (intervalNs: number): number => Math.max(0, intervalNs / 1e9 - RESOLUTION_MS / 1000);
  return {
    read: () => {
      const { user, system } = process.cpuUsage();
      const { rss, heapUsed, external } = process.memoryUsage();
      const known = loopDelay.count > 0;
      const delay = {
        '0.5': known ? late(loopDelay.percentile(50)) : 0,
        '0.99': known ? late(loopDelay.percentile(99)) : 0,
        '1': known ? late(loopDelay.max) : 0,
      };
      loopDelay.reset();
      return {
        cpuSeconds: (user + system) / 1e6,
        memoryBytes: { resident: rss, heap: heapUsed, external },
        eventLoopDelaySeconds: delay,
        startedAtSeconds: performance.timeOrigin / 1000,
      };
    },
    close: () => loopDelay.disable(),
  };
}
