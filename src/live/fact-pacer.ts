import type { LiveFact, QueuedJob } from './port.ts';

export interface FactPacer {
  push(fact: LiveFact): void;
  /** Sends what waits; nothing is taken afterwards. */
  close(): void;
}

/** Ten a second. */
const INTERVAL_MS = 100;
/** Queued jobs that one fact carries; more than anybody shows in its tenth of a second. */
export const MAX_QUEUED = 20;

/** What is told of one thing: the first at once, what follows gathered until the interval is over. */
interface Pace {
  timer: NodeJS.Timeout;
  waiting: LiveFact | null;
  /** Of all facts that wait. */
  queued: QueuedJob[];
}

/** Facts of the same key are about the same thing, of which the newest says all; null is told at once. */
function keyOf(fact: LiveFact): string | null {
  switch (fact.kind) {
    case 'run':
      return `run ${fact.runId}`;
    case 'listener_message':
      return fact.kind;
    case 'run_created':
    case 'run_over':
    case 'listener':
      return null;
    default:
      return fact satisfies never;
  }
}

/** A newer fact takes the place of the one that waits; queued jobs gather, the newest of them. */
function gather(pace: Pace, fact: LiveFact): void {
  pace.waiting = fact;
  if (fact.kind !== 'run' || !fact.queued) return;
  for (const job of fact.queued) pace.queued.push(job);
  if (pace.queued.length > 2 * MAX_QUEUED) pace.queued = pace.queued.slice(-MAX_QUEUED);
}

function gathered({ waiting, queued }: Pace): LiveFact | null {
  if (waiting?.kind !== 'run' || queued.length === 0) return waiting;
  return { ...waiting, queued: queued.slice(-MAX_QUEUED) };
}

/** Tells the facts of one run, or of the listener's messages, at most ten times a second, the last one always. */
export function createFactPacer(send: (fact: LiveFact) => void): FactPacer {
  const paces = new Map<string, Pace>();
  let closed = false;

  const tell = (key: string, fact: LiveFact): void => {
    const timer = setTimeout(() => {
      const waiting = gathered(paces.get(key)!);
      paces.delete(key);
      if (waiting) tell(key, waiting);
    }, INTERVAL_MS);
    timer.unref();
    paces.set(key, { timer, waiting: null, queued: [] });
    send(fact);
  };

  return {
    push: (fact) => {
      if (closed) return;
      const key = keyOf(fact);
      if (key === null) return send(fact);
      const pace = paces.get(key);
      if (pace) gather(pace, fact);
      else tell(key, fact);
    },
    close: () => {
      closed = true;
      for (const pace of paces.values()) {
        clearTimeout(pace.timer);
        const waiting = gathered(pace);
        if (waiting) send(waiting);
      }
      paces.clear();
    },
  };
}
