/** The limits of a system under test that all processes have together. */
export interface SharedLimits {
  maxConnections: number;
  /** Messages, or instances, a second; null for no limit. */
  maxPerSecond: number | null;
  /** Begins with one connection and allows one more a second. */
  ramp: boolean;
}

/** One process, for one run. */
export interface ShareHolder {
  /** Connections that it could use now. */
  wanted: number;
  /** Connections that it may have open until it says that it has fewer. */
  connections: number;
  perSecond: number;
  /** Since when it holds connections, or waits for some; milliseconds. */
  turnMs: number;
  /** When it joined, milliseconds. */
  sinceMs: number;
}

/** What a process may have of an endpoint from now on. */
export interface EndpointShare {
  /** To be held; what is open beyond it is closed as soon as it is free. */
  connections: number;
  /** Null for no limit. */
  perSecond: number | null;
}

export interface ShareRequest {
  limits: SharedLimits;
  wanted: number;
  /** Connections that it has open and cannot close at once. */
  open: number;
  nowMs: number;
}

/** With more processes than connections, each has its turn of at least so long. */
const TURN_MS = 3000;
const RAMP_INTERVAL_MS = 1000;

/**
 * Divides an endpoint's limits among those who want of it. The sums of what holders have never exceed the limits,
 * whoever asks when: nobody is given what another has not given back, so that a change takes two askings.
 *
 * @param mine as it was stored; null when it asks for the first time
 * @param others those whose share has not expired
 * @returns what to hold, and what to store
 */
export function divideEndpoint(
  request: ShareRequest,
  mine: ShareHolder | null,
  others: readonly ShareHolder[],
): { share: EndpointShare; holder: ShareHolder } {
  const { limits, wanted, open, nowMs } = request;
  const sinceMs = mine?.sinceMs ?? nowMs;
  const limit = connectionsAt(limits, Math.min(sinceMs, ...others.map((other) => other.sinceMs)), nowMs);
  const held = others.reduce((sum, other) => sum + other.connections, 0);
  const taken = others.reduce((sum, other) => sum + other.perSecond, 0);
  const me = mine ?? { wanted, connections: 0, perSecond: 0, turnMs: nowMs, sinceMs };
  const fair = fairConnections(
    limit,
    { ...me, wanted, connections: Math.max(me.connections, open) },
    others,
    nowMs,
  );
  const connections = Math.max(0, Math.min(fair, limit - held));
  const stored = Math.max(open, connections);
  const perSecond =
    limits.maxPerSecond === null || stored === 0
      ? 0
      : Math.max(
          0,
          Math.min(limits.maxPerSecond / (1 + others.filter(isActive).length), limits.maxPerSecond - taken),
        );
  const changedHands = stored > 0 !== me.connections > 0;
  return {
    share: { connections, perSecond: limits.maxPerSecond === null ? null : perSecond },
    holder: { wanted, connections: stored, perSecond, turnMs: changedHands ? nowMs : me.turnMs, sinceMs },
  };
}

function isActive({ wanted, connections }: ShareHolder): boolean {
  return wanted > 0 || connections > 0;
}

function connectionsAt({ maxConnections, ramp }: SharedLimits, sinceMs: number, nowMs: number): number {
  if (!ramp) return maxConnections;
  return Math.min(maxConnections, 1 + Math.floor((nowMs - sinceMs) / RAMP_INTERVAL_MS));
}

function fairConnections(
  limit: number,
  me: ShareHolder,
  others: readonly ShareHolder[],
  nowMs: number,
): number {
  if (me.wanted === 0) return 0;
  const hungry = others.filter(({ wanted }) => wanted > 0);
  if (hungry.length + 1 > limit) return takesTurn(limit, me, hungry, nowMs) ? 1 : 0;
  // Equal shares, and what the modest leave is the others'; an odd one goes to whoever joined first.
  let left = limit;
  const inOrder = [...hungry, me].sort((a, b) => a.wanted - b.wanted || b.sinceMs - a.sinceMs);
  for (const [at, holder] of inOrder.entries()) {
    const part = Math.min(holder.wanted, Math.floor(left / (inOrder.length - at)));
    if (holder === me) return part;
    left -= part;
  }
  return 0;
}

/** Whoever holds one keeps it for its turn while others wait; those who wait longest are next. */
function takesTurn(limit: number, me: ShareHolder, hungry: readonly ShareHolder[], nowMs: number): boolean {
  if (me.connections > 0)
    return nowMs - me.turnMs < TURN_MS || hungry.every(({ connections }) => connections > 0);
  const before = hungry.filter((other) => other.connections > 0 || other.turnMs < me.turnMs);
  return before.length < limit;
}
