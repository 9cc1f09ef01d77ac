/**
 * Tells which rows of a growing table are new, by their ids. Ids of several writers become visible out of order, so an
 * id that is missing below the newest one may still come: it is waited for, but not for ever.
 */
export interface IdTail {
  /** Marks an id as read. @returns whether it is new */
  take(id: number): boolean;
  /** Newest id that was read; rows after it are certainly new. */
  readonly newest: number;
  /** Where to read again from (exclusive) when there may be late rows; null when nothing is missing. */
  readonly lateAfter: number | null;
  /** Ids that are missing for longer than they are waited for will not come. */
  giveUp(): void;
}

export interface IdTailOptions {
  /** Milliseconds of any clock that does not run backwards. */
  now: () => number;
  /** How long a missing id is waited for: longer than any transaction that writes rows. @default 10000 */
  waitMs?: number;
  /** Ids kept while lower ones are missing; with more, the lowest are no longer waited for. @default 5000 */
  maxKept?: number;
}

/** @param start of what is there already: everything up to it was read, whether it is visible yet or not */
export function createIdTail(start: number, options: IdTailOptions): IdTail {
  const { now, waitMs = 10_000, maxKept = 5_000 } = options;
  /** Everything up to here was read, or is not waited for. */
  let floor = start;
  let newest = start;
  /** Read, above the floor, in the order of reading. */
  const kept = new Map<number, number>();

  const closeUp = (): void => {
    while (kept.delete(floor + 1)) floor++;
  };
  const raise = (to: number): void => {
    if (to <= floor) return;
    floor = to;
    for (const id of kept.keys()) if (id <= floor) kept.delete(id);
    closeUp();
  };

  return {
    take: (id) => {
      if (id <= floor || kept.has(id)) return false;
      kept.set(id, now());
      newest = Math.max(newest, id);
      closeUp();
      if (kept.size > maxKept) raise([...kept.keys()].sort((a, b) => a - b)[kept.size - maxKept]!);
      return true;
    },
    get newest() {
      return newest;
    },
    get lateAfter() {
      return kept.size > 0 ? floor : null;
    },
    giveUp: () => {
      const before = now() - waitMs;
      let aged = floor;
      for (const [id, readAt] of kept) {
        if (readAt > before) break;
        aged = Math.max(aged, id);
      }
      raise(aged);
    },
  };
}
