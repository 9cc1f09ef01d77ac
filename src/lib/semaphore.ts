/** At most `limit` holders at a time; waiters are served in the order of their asking. */
export interface Semaphore {
  acquire(signal?: AbortSignal): Promise<boolean>;
  release(): void;
  readonly held: number;
}

export function createSemaphore(limit: number): Semaphore {
  let held = 0;
  const waiting: ((granted: boolean) => void)[] = [];
  return {
    get held() {
      return held;
    },
    acquire: (signal) => {
      if (signal?.aborted) return Promise.resolve(false);
      if (held < limit) {
        held++;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        const grant = (granted: boolean): void => {
          signal?.removeEventListener('abort', onAbort);
          resolve(granted);
        };
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(grant), 1);
          grant(false);
        };
        waiting.push(grant);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
    release: () => {
      const next = waiting.shift();
      if (next) next(true);
      else held--;
    },
  };
}
