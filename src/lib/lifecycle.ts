/** Something that lives until it is closed. `close()` may be called more than once. */
export interface Closeable extends AsyncDisposable {
  close(): Promise<void>;
}

/** Resolves after `ms`, or early (with false) when the signal aborts. Until then it keeps the process. */
export function delay(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve(true);
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
