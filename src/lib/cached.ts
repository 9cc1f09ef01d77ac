export interface CachedOptions {
  /** An answer holds for so long. */
  ttlMs: number;
  /** Asking may take this share of the time; an answer that took long holds longer. @default any */
  share?: number;
  /** Milliseconds of a clock that does not run backwards. */
  now: () => number;
}

/** The answer of a costly question, asked once in a while however many want it. A failed one is not kept. */
export function createCached<T>(ask: () => Promise<T>, options: CachedOptions): () => Promise<T> {
  const { ttlMs, share = 1, now } = options;
  let answer: Promise<T> | null = null;
  let holdsUntilMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (answer && now() < holdsUntilMs) return answer;
    const askedMs = now();
    const asked = ask();
    answer = asked;
    // Until it is there, everybody waits for the same.
    holdsUntilMs = Number.POSITIVE_INFINITY;
    asked.then(
      () => {
        holdsUntilMs = askedMs + Math.max(ttlMs, (now() - askedMs) / share);
      },
      () => {
        answer = null;
      },
    );
    return asked;
  };
}
