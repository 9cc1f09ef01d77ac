/** Counts in windows of time, by key, in bounded memory. */
export interface RateLimit {
  /** @returns seconds to wait; 0 when it may go on */
  waitFor(key: string): number;
  /** Counts one against the key. */
  count(key: string): void;
  /** Takes one back that was counted before its outcome was known. */
  forgive(key: string): void;
}

export interface RateLimitOptions {
  /** Within one window. */
  limit: number;
  windowMs: number;
  /** Milliseconds of a clock that does not run backwards. */
  now: () => number;
  /** Keys that are remembered; beyond them the oldest are forgotten. @default 10000 */
  maxKeys?: number;
}

export function createRateLimit({ limit, windowMs, now, maxKeys = 10_000 }: RateLimitOptions): RateLimit {
  /** In the order of their beginnings. */
  const windows = new Map<string, { count: number; endsMs: number }>();

  const current = (key: string) => {
    const window = windows.get(key);
    if (window && window.endsMs > now()) return window;
    windows.delete(key);
    return null;
  };

  const makeRoom = (): void => {
    for (const [key, { endsMs }] of windows) {
      if (endsMs > now() && windows.size < maxKeys) return;
      windows.delete(key);
    }
  };

  return {
    waitFor: (key) => {
      const window = current(key);
      if (!window || window.count < limit) return 0;
      return Math.max(1, Math.ceil((window.endsMs - now()) / 1000));
    },
    count: (key) => {
      const window = current(key);
      if (window) {
        window.count++;
        return;
      }
      makeRoom();
      windows.set(key, { count: 1, endsMs: now() + windowMs });
    },
    forgive: (key) => {
      const window = current(key);
      if (window && window.count > 0) window.count--;
    },
  };
}
