import { YeeterError } from '../lib/errors.ts';
import type { Endpoint, EndpointLimits } from './endpoint.ts';
import { guardEndpoint, isLoopback, type RegisteredTarget } from './target-guard.ts';

/** For receivers on this machine. */
export function unlimited(maxConnections: number): EndpointLimits {
  return { maxConnections, maxPerSecond: null, maxBytes: null, ramp: false };
}

function limitsOf(target: RegisteredTarget | null, concurrency: number): EndpointLimits {
  if (target === null) return unlimited(concurrency);
  return {
    maxConnections: target.maxAssociations,
    maxPerSecond: target.maxMessagesPerSecond,
    maxBytes: target.maxBytes,
    ramp: !isLoopback(target.host),
    shared: true,
  };
}

export interface GuardedEndpoint {
  endpoint: Endpoint;
  /** What it is registered as; null for an unregistered one on this machine. */
  target: RegisteredTarget | null;
  limits: EndpointLimits;
}

/**
 * Passes every endpoint of a run through the target guard.
 * @throws {YeeterError} TARGET_REFUSED for the first that it does not let through
 */
export function guardEndpoints(
  endpoints: Readonly<Record<string, Endpoint>>,
  targets: readonly RegisteredTarget[],
  options: { nowMs: number; concurrency: number },
): GuardedEndpoint[] {
  return Object.values(endpoints).map((endpoint) => {
    const guarded = guardEndpoint(endpoint, targets, options.nowMs);
    if (!guarded.ok) throw new YeeterError(guarded.code, guarded.message);
    return { endpoint, target: guarded.target, limits: limitsOf(guarded.target, options.concurrency) };
  });
}
