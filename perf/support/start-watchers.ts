import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WatchersHeard } from './watchers.ts';

const WATCHERS = fileURLToPath(new URL('./watchers.ts', import.meta.url));

export interface Watchers {
  /** Ends them. */
  stop(): Promise<WatchersHeard>;
}

/** Sockets in a process of their own, each in the room of one of the runs. */
export async function startWatchers(
  url: string,
  runIds: readonly number[],
  count: number,
): Promise<Watchers> {
  const child = fork(WATCHERS, [url, runIds.join(','), String(count)]);
  const exited = once(child, 'exit');
  await once(child, 'message');
  return {
    stop: async () => {
      child.send('stop');
      const [heard] = await once(child, 'message');
      await exited;
      return heard as WatchersHeard;
    },
  };
}
