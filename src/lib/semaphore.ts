/** At most `limit` holders at a time; waiters are served in the order of their asking. */
export interface Semaphore {
  /** @returns false when the signal aborted first */
  acquire(signal?: AbortSignal): Promise<boolean>;
  release(): void;
  /** Changes the limit; holders beyond a lower one stay. */
  setLimit(limit: number): void;
}

export function createSemaphore(initialLimit: number): Semaphore {
  let limit = initialLimit;
  let held = 0;
  const waiting: ((granted: boolean) => void)[] = [];

  const serve = (): void => {
    while (held < limit && waiting.length > 0) {
      held++;
      waiting.shift()!(true);
    }
  };

  const acquire = (signal?: AbortSignal): Promise<boolean> => {
    if (signal?.aborted) return Promise.resolve(false);
    if (held < limit) {
      held++;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const onAbort = (): void => {
        waiting.splice(waiting.indexOf(grant), 1);
        resolve(false);
      };
      const grant = (granted: boolean): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve(granted);
      };
      waiting.push(grant);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  };

  return {
    acquire,
    release: () => {
      held--;
      serve();
    },
    setLimit: (next) => {
      limit = next;
      serve();
    },
  };
}
