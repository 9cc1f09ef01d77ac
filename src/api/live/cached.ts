/** The answer of a costly question, asked at most once in `ttlMs` however many want it. A failed one is not kept. */
export function createCached<T>(ask: () => Promise<T>, ttlMs: number, now: () => number): () => Promise<T> {
  let answer: Promise<T> | null = null;
  let askedMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (answer && now() - askedMs < ttlMs) return answer;
    askedMs = now();
    const asked = ask();
    answer = asked;
    asked.catch(() => {
      if (answer === asked) answer = null;
    });
    return asked;
  };
}
