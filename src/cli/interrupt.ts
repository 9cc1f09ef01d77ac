/** One wish to stop may come twice: to the whole group, and again from whoever started us and passes it on. */
const SAME_WISH_MS = 300;

/**
 * Calls `onFirst` on the first Ctrl-C (or SIGTERM); a second one ends the process at once. Disposing restores the
 * usual behaviour.
 */
export function onInterrupt(onFirst: () => void): Disposable {
  let askedAtMs: number | null = null;
  const handle = (signal: NodeJS.Signals): void => {
    if (askedAtMs !== null) {
      if (performance.now() - askedAtMs > SAME_WISH_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
      return;
    }
    askedAtMs = performance.now();
    onFirst();
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    [Symbol.dispose]: () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}
