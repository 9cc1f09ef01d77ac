import type { LiveFact } from './port.ts';

type Listener = (fact: LiveFact) => void;

/** The listeners of one process. */
export interface FanOut {
  /** @returns what ends it; may be called more than once */
  add(listener: Listener): () => void;
  tell(fact: LiveFact): void;
  clear(): void;
  /** Whether there ever was a listener. */
  readonly used: boolean;
}

/** @param onFirst called when the first listener comes; others come and go without anybody being told */
export function createFanOut(onFirst: () => void = () => {}): FanOut {
  const listeners = new Set<{ hear: Listener }>();
  let used = false;
  return {
    add: (hear) => {
      const entry = { hear };
      listeners.add(entry);
      if (!used) {
        used = true;
        onFirst();
      }
      return () => {
        listeners.delete(entry);
      };
    },
    tell: (fact) => {
      for (const { hear } of [...listeners]) hear(fact);
    },
    clear: () => listeners.clear(),
    get used() {
      return used;
    },
  };
}
