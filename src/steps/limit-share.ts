import type { EndpointLimits } from '../domain/endpoint.ts';

/** What this process may have of an endpoint's limits, which others may share; it changes. */
export interface LimitShare {
  /** Connections that may be open now. */
  readonly connections: number;
  /** Messages, or instances, a second; null for no limit. */
  readonly perSecond: number | null;
  /** Told of each change. One listener. */
  onChange(listener: () => void): void;
  /** More is wanted than there is. */
  want(): void;
  /** Takes bytes of the run's budget. @returns false when they are used up */
  takeBytes(bytes: number): boolean | Promise<boolean>;
  close(): Promise<void>;
}

/** What is asked of whoever has a share. */
export interface Demand {
  /** Connections that could be used now. */
  wanted(): number;
  /** Connections that are open. */
  open(): number;
}

const RAMP_INTERVAL_MS = 1000;

/** All of the limits: no other process uses the endpoint. */
export function wholeShare({ maxConnections, maxPerSecond, maxBytes, ramp }: EndpointLimits): LimitShare {
  let connections = ramp ? 1 : maxConnections;
  let bytes = 0;
  let spent = false;
  let changed: () => void = () => {};
  const timer = ramp
    ? setInterval(() => {
        connections++;
        if (connections >= maxConnections) clearInterval(timer);
        changed();
      }, RAMP_INTERVAL_MS).unref()
    : undefined;
  return {
    get connections() {
      return connections;
    },
    perSecond: maxPerSecond,
    onChange: (listener) => {
      changed = listener;
    },
    want: () => {},
    takeBytes: (wanted) => {
      if (maxBytes === null) return true;
      // What no longer fits ends the budget: smaller ones that follow would make it a matter of luck.
      spent ||= bytes + wanted > maxBytes;
      if (!spent) bytes += wanted;
      return !spent;
    },
    close: async () => clearInterval(timer),
  };
}
