import type { Clock } from '../lib/clock.ts';

/**
 * A clock that knows how far it is from the database's. Instants that travel between processes (`epochUs`) are on
 * the database's time, so that queue waits are comparable across machines.
 */
export interface LedgerClock extends Clock {
  /** Reads the database's time through `ask` (milliseconds since the epoch) and corrects by it. */
  synchronise(ask: () => Promise<number>): Promise<void>;
  /** Half the round trip of the best reading, microseconds; differences smaller than this mean nothing. Null before the first. */
  readonly uncertaintyUs: number | null;
}

/** Where all instants are this process's: there is nothing to correct. */
export function createOwnClock(clock: Clock): LedgerClock {
  const synchronise = async (ask: () => Promise<number>): Promise<void> => void (await ask());
  return { ...clock, synchronise, uncertaintyUs: 0 };
}

/** Cristian's algorithm: the reading with the shortest round trip of the last ones counts. */
const READINGS = 8;

export function createLedgerClock(clock: Clock): LedgerClock {
  const readings: { offsetUs: number; uncertaintyUs: number }[] = [];
  let best: (typeof readings)[number] | null = null;
  return {
    nowMs: clock.nowMs,
    monotonicUs: clock.monotonicUs,
    epochUs: () => clock.epochUs() + (best?.offsetUs ?? 0),
    synchronise: async (ask) => {
      const beforeUs = clock.epochUs();
      const askedMs = await ask();
      const afterUs = clock.epochUs();
      readings.push({
        offsetUs: Math.round(askedMs * 1000 - (beforeUs + afterUs) / 2),
        uncertaintyUs: (afterUs - beforeUs) / 2,
      });
      if (readings.length > READINGS) readings.shift();
      best = readings.reduce((least, reading) =>
        reading.uncertaintyUs < least.uncertaintyUs ? reading : least,
      );
    },
    get uncertaintyUs() {
      return best?.uncertaintyUs ?? null;
    },
  };
}
