/**
 * Calls `onFirst` on the first Ctrl-C (or SIGTERM); a second one ends the process at once. Disposing restores the
 * usual behaviour.
 */
export function onInterrupt(onFirst: () => void): Disposable {
  let asked = false;
  const handle = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(signal === 'SIGINT' ? 130 : 143);
    asked = true;
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
