/** Whether this program started this process itself, as a bench its workers: there is a channel between the two. */
export function hasStarter(): boolean {
  return process.connected !== undefined;
}

/** Resolves when the process of this program that started this one is gone; never where there was none. */
export function starterGone(): Promise<void> {
  return new Promise((resolve) => {
    if (!hasStarter()) return;
    if (!process.connected) return resolve();
    process.once('disconnect', resolve);
    // A channel that is listened to keeps its process from ending.
    process.channel?.unref();
  });
}
