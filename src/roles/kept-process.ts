import { type Closeable, delay } from '../lib/lifecycle.ts';
import type { OwnProcess } from './child-process.ts';

export interface KeptProcessOptions {
  /** As it is spoken of. */
  name: string;
  start: () => OwnProcess;
  log: (line: string) => void;
  /** Before one that has ended is started again, milliseconds. @default 500 */
  restartMs?: number;
}

export interface KeptProcess extends Closeable {
  /** Resolves with a line when it has ended by itself so often, soon after its start, that it is not started again. */
  gaveUp: Promise<string>;
}

/** One that ran for so long was well. */
const WELL_MS = 10_000;
const MOST_FALSE_STARTS = 3;

/** A process that is started again whenever it ends before it is closed. One that was killed is not to blame for it. */
export function keepProcess({ name, start, log, restartMs = 500 }: KeptProcessOptions): KeptProcess {
  const closing = new AbortController();
  const gaveUp = Promise.withResolvers<string>();
  let current = start();

  const keep = async (): Promise<void> => {
    for (let falseStarts = 0; ; current = start()) {
      const startedMs = performance.now();
      const how = await current.ended;
      if (closing.signal.aborted) return;
      const wasKilled = how.startsWith('signal');
      falseStarts = wasKilled || performance.now() - startedMs > WELL_MS ? 0 : falseStarts + 1;
      if (falseStarts === MOST_FALSE_STARTS) {
        return gaveUp.resolve(`the ${name} ended early, ${MOST_FALSE_STARTS} times in a row (${how})`);
      }
      log(`the ${name} ended early (${how}): another is started`);
      if (!(await delay(restartMs, closing.signal))) return;
    }
  };
  void keep();

  const close = async (): Promise<void> => {
    closing.abort();
    await current.stop();
  };
  return { gaveUp: gaveUp.promise, close, [Symbol.asyncDispose]: close };
}
