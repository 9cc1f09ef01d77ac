import type { EndpointLimits } from '../domain/endpoint.ts';
import type { EndpointShare } from '../domain/endpoint-share.ts';
import type { Clock } from '../lib/clock.ts';
import type { Demand, LimitShare } from '../steps/limit-share.ts';
import type { CoordinationPort } from '../storage/coordination-port.ts';

export interface LedgerShareOptions {
  store: Pick<CoordinationPort, 'shareEndpoint' | 'leaveEndpoint' | 'takeBytes' | 'giveBytesBack'>;
  /** Host and port. */
  address: string;
  runId: number;
  /** This process, for this run. */
  holder: string;
  limits: EndpointLimits;
  demand: Demand;
  clock: Clock;
}

const ASK_INTERVAL_MS = 500;
/** A process that cannot ask for so long may use nothing more; others then have what it had. */
const VALID_MS = 15_000;
/** Here the share ends a little earlier than for the others. */
const SAFETY_MS = 2000;
/** Connections that were wanted so lately are wanted still, or they would be opened and closed all the time. */
const LINGER_MS = 5000;
/** Bytes are taken in so many parts of the budget, so that many processes come near to its end. */
const BYTE_PARTS = 100;

/** This process's share of limits that hold for all processes on the ledger. */
export function createLedgerShare(options: LedgerShareOptions): LimitShare {
  const { store, address, runId, holder, limits, demand, clock } = options;
  const { maxConnections, maxPerSecond, maxBytes, ramp } = limits;
  const none: EndpointShare = { connections: 0, perSecond: maxPerSecond === null ? null : 0 };
  let share = none;
  let validUntilUs = 0;
  let changed: () => void = () => {};
  let asking: Promise<void> | null = null;
  let closed = false;
  let peak = { wanted: 0, atUs: 0 };
  let bytesLeft = 0;
  let taking: Promise<unknown> = Promise.resolve();

  const take = (next: EndpointShare): void => {
    const isSame = next.connections === share.connections && next.perSecond === share.perSecond;
    share = next;
    if (!isSame) changed();
  };

  const wanted = (nowUs: number): number => {
    const now = Math.min(maxConnections, demand.wanted());
    if (now >= peak.wanted || nowUs - peak.atUs > LINGER_MS * 1000) peak = { wanted: now, atUs: nowUs };
    return peak.wanted;
  };

  const ask = async (): Promise<void> => {
    const nowUs = clock.monotonicUs();
    try {
      const given = await store.shareEndpoint({
        ...{ address, holder, limits: { maxConnections, maxPerSecond, ramp } },
        ...{ wanted: wanted(nowUs), open: demand.open(), validMs: VALID_MS },
      });
      validUntilUs = nowUs + (VALID_MS - SAFETY_MS) * 1000;
      if (!closed) take(given);
    } catch {
      // The ledger tells its own faults; the share lapses.
    }
  };

  const askOnce = (): void => {
    if (closed || asking) return;
    asking = ask().finally(() => {
      asking = null;
    });
  };

  const timer = setInterval(() => {
    if (clock.monotonicUs() > validUntilUs) take(none);
    askOnce();
  }, ASK_INTERVAL_MS).unref();

  /** One after the other, so that each part that is taken is used by those who wait for it. */
  const takeBytes = (bytes: number): boolean | Promise<boolean> => {
    if (maxBytes === null) return true;
    const budget = maxBytes;
    const taken = taking.then(async () => {
      if (bytesLeft < bytes) {
        const atLeast = bytes - bytesLeft;
        const upTo = Math.max(atLeast, Math.ceil(budget / BYTE_PARTS));
        bytesLeft += await store.takeBytes({ runId, address, budget, atLeast, upTo });
      }
      if (bytesLeft < bytes) return false;
      bytesLeft -= bytes;
      return true;
    });
    taking = taken.catch(() => {});
    return taken;
  };

  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    clearInterval(timer);
    await Promise.allSettled([asking, taking]);
    // It lapses by itself, and bytes that are not given back are not used, when the ledger is gone.
    await Promise.allSettled([
      store.leaveEndpoint(address, holder),
      bytesLeft > 0 ? store.giveBytesBack(runId, address, bytesLeft) : null,
    ]);
  };

  return {
    get connections() {
      return share.connections;
    },
    get perSecond() {
      return share.perSecond;
    },
    onChange: (listener) => {
      changed = listener;
    },
    want: askOnce,
    takeBytes,
    close,
  };
}
