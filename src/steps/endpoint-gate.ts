import type { Clock } from '../lib/clock.ts';
import { delay } from '../lib/lifecycle.ts';
import { createSemaphore } from '../lib/semaphore.ts';
import type { Demand, LimitShare } from './limit-share.ts';

/** Connections that a client keeps open between uses: they count, and make room for others. */
export interface IdleConnections {
  idle(): number;
  /** Closes the one idle for longest. */
  closeIdle(): Promise<unknown>;
}

/** Holds an endpoint's limits, for all clients of its address. */
export interface EndpointGate extends Demand {
  /** Takes one of the connections. @returns false when the signal aborted first */
  enter(signal: AbortSignal): Promise<boolean>;
  leave(): void;
  /**
   * Waits for the turn of the next message or instance and counts its bytes.
   * @returns false when the bytes are used up or the signal aborted
   */
  pass(sizeBytes: number, signal: AbortSignal): Promise<boolean>;
  count(connections: IdleConnections): void;
  /** Before a connection is opened: closes idle ones that would be too many with it. */
  makeRoom(): Promise<void>;
  close(): Promise<void>;
}

export interface EndpointGateOptions {
  /** Called once, with what the gate tells of its use. */
  share: (demand: Demand) => LimitShare;
  clock: Clock;
  /** Called once, when the next message or instance would be beyond the byte budget; awaited before that is refused. */
  onBudgetSpent: () => void | Promise<void>;
}

/** How often whoever has no turn at all looks again, milliseconds. */
const NO_TURN_MS = 50;

export function createEndpointGate(options: EndpointGateOptions): EndpointGate {
  const { clock, onBudgetSpent } = options;
  let held = 0;
  let waiting = 0;
  let spending: Promise<void> | null = null;
  let nextTurnUs = 0;
  const clients: IdleConnections[] = [];
  const idle = (): number => clients.reduce((sum, client) => sum + client.idle(), 0);
  const demand: Demand = { wanted: () => held + waiting, open: () => held + idle() };
  const share = options.share(demand);
  const semaphore = createSemaphore(share.connections);

  const trim = async (): Promise<void> => {
    while (demand.open() > share.connections) {
      const client = clients.find((one) => one.idle() > 0);
      if (!client) return;
      await client.closeIdle();
    }
  };
  share.onChange(() => {
    semaphore.setLimit(share.connections);
    void trim();
  });

  const enter = async (signal: AbortSignal): Promise<boolean> => {
    waiting++;
    if (held >= share.connections) share.want();
    const entered = await semaphore.acquire(signal);
    waiting--;
    if (entered) held++;
    return entered;
  };

  const withinBudget = async (sizeBytes: number): Promise<boolean> => {
    if (!spending && (await share.takeBytes(sizeBytes))) return true;
    spending ??= Promise.resolve(onBudgetSpent());
    await spending;
    return false;
  };

  const turn = async (signal: AbortSignal): Promise<boolean> => {
    while (share.perSecond === 0) if (!(await delay(NO_TURN_MS, signal))) return false;
    if (share.perSecond === null) return true;
    const nowUs = clock.monotonicUs();
    const turnUs = Math.max(nextTurnUs, nowUs);
    nextTurnUs = turnUs + 1e6 / share.perSecond;
    return turnUs <= nowUs || (await delay((turnUs - nowUs) / 1000, signal));
  };

  return {
    ...demand,
    enter,
    leave: () => {
      held--;
      semaphore.release();
      if (demand.open() > share.connections) void trim();
    },
    pass: async (sizeBytes, signal) => (await withinBudget(sizeBytes)) && (await turn(signal)),
    count: (connections) => clients.push(connections),
    makeRoom: trim,
    close: () => share.close(),
  };
}
