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

const queuedOf = (fact: LiveFact): readonly QueuedJob[] => (fact.kind === 'run' && fact.queued) || [];

/** The newer fact, with the queued jobs of both. */
export function mergeFacts(older: LiveFact | null, newer: LiveFact): LiveFact {
  if (older === null || newer.kind !== 'run') return newer;
  const queued = [...queuedOf(older), ...queuedOf(newer)].slice(-MAX_QUEUED);
  return queued.length > 0 ? { ...newer, queued } : newer;
}

/** Tells the facts of one run, or of the listener's messages, at most ten times a second, the last one always. */
export function createFactPacer(send: (fact: LiveFact) => void): FactPacer {
  const paces = new Map<string, Pace>();
  let closed = false;

  const tell = (key: string, fact: LiveFact): void => {
    const timer = setTimeout(() => {
      const { waiting } = paces.get(key)!;
      paces.delete(key);
      if (waiting) tell(key, waiting);
    }, INTERVAL_MS);
    timer.unref();
    paces.set(key, { timer, waiting: null });
    send(fact);
  };

  return {
    push: (fact) => {
      if (closed) return;
      const key = keyOf(fact);
      if (key === null) return send(fact);
      const pace = paces.get(key);
      if (pace) pace.waiting = mergeFacts(pace.waiting, fact);
      else tell(key, fact);
    },
    close: () => {
      closed = true;
      for (const { timer, waiting } of paces.values()) {
        clearTimeout(timer);
        if (waiting) send(waiting);
      }
      paces.clear();
    },
  };
}
