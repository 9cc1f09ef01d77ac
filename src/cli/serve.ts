import type { Served } from '../roles/serve.ts';
import { onInterrupt } from './interrupt.ts';

/** Says where the server is, and serves until it is interrupted. A second Ctrl-C ends it at once. */
export async function serveUntilInterrupted(
  open: () => Promise<Served>,
  log: (line: string) => void,
): Promise<void> {
  const interrupted = Promise.withResolvers<void>();
  using _ = onInterrupt(() => interrupted.resolve());
  await using served = await open();
  for (const line of served.about) log(line);
  if (!served.hasAdmin) log('there is no user yet: the first who registers becomes administrator');
  log(`Yeeter is ready on ${served.url}; the interface is described on ${served.url}/api/docs`);
  await Promise.race([interrupted.promise, served.failed]);
  log('stopping: what is under way is finished or given back');
}
