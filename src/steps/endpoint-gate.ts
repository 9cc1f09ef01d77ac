import type { EndpointLimits } from '../domain/endpoint.ts';
import type { Clock } from '../lib/clock.ts';
import { delay } from '../lib/lifecycle.ts';
import { createSemaphore } from '../lib/semaphore.ts';

/** Holds an endpoint's limits. */
export interface EndpointGate {
  /** Takes one of the connections. @returns false when the signal aborted first */
  enter(signal: AbortSignal): Promise<boolean>;
  leave(): void;
  /**
   * Waits for the turn of the next message or instance and counts its bytes.
   * @returns false when the bytes are used up or the signal aborted
   */
  pass(sizeBytes: number, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

const RAMP_INTERVAL_MS = 1000;

export interface EndpointGateOptions {
  limits: EndpointLimits;
  clock: Clock;
  /** Called once, when the next message or instance would be beyond the byte budget. */
  onBudgetSpent: () => void;
}

export function createEndpointGate({ limits, clock, onBudgetSpent }: EndpointGateOptions): EndpointGate {
  const { maxConnections, maxPerSecond, maxBytes, ramp } = limits;
  let allowed = ramp ? 1 : maxConnections;
  let bytes = 0;
  let spent = false;
  let nextTurnUs = 0;
  const connections = createSemaphore(allowed);
  const rampTimer = ramp
    ? setInterval(() => {
        allowed++;
        connections.setLimit(allowed);
        if (allowed >= maxConnections) clearInterval(rampTimer);
      }, RAMP_INTERVAL_MS).unref()
    : undefined;

  const withinBudget = (sizeBytes: number): boolean => {
    if (maxBytes === null) return true;
    if (!spent && bytes + sizeBytes <= maxBytes) {
      bytes += sizeBytes;
      return true;
    }
    if (!spent) onBudgetSpent();
    spent = true;
    return false;
  };

  return {
    enter: (signal) => connections.acquire(signal),
    leave: () => connections.release(),
    pass: async (sizeBytes, signal) => {
      if (!withinBudget(sizeBytes)) return false;
      if (maxPerSecond === null) return true;
      const nowUs = clock.monotonicUs();
      const turnUs = Math.max(nextTurnUs, nowUs);
      nextTurnUs = turnUs + 1e6 / maxPerSecond;
      return turnUs <= nowUs || delay((turnUs - nowUs) / 1000, signal);
    },
    close: () => clearInterval(rampTimer),
  };
}
