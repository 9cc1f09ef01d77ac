/** Events a second, over the last whole seconds. */
export interface RateMeter {
  /** @param nowMs monotonic, milliseconds */
  count(nowMs: number): void;
  perSecond(nowMs: number): number;
}

const SECONDS = 5;

export function createRateMeter(): RateMeter {
  /** One more than is averaged: the second under way. */
  const counts = new Array<number>(SECONDS + 1).fill(0);
  let current = Number.NEGATIVE_INFINITY;

  const advance = (nowMs: number): void => {
    const second = Math.floor(nowMs / 1000);
    if (second - current > SECONDS) counts.fill(0);
    else for (let s = current + 1; s <= second; s++) counts[s % counts.length] = 0;
    current = second;
  };
  return {
    count: (nowMs) => {
      advance(nowMs);
      counts[current % counts.length]!++;
    },
    perSecond: (nowMs) => {
      advance(nowMs);
      const all = counts.reduce((sum, n) => sum + n, 0);
      return (all - counts[current % counts.length]!) / SECONDS;
    },
  };
}
