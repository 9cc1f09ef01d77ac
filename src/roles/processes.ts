import type { Config } from '../config/config.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { type OwnProcess, startOwnProcess, workerFlags } from './child-process.ts';

export interface Processes extends Closeable {
  /** Resolves with a line when one of them ends before it is closed. */
  died: Promise<string>;
}

/**
 * Starts a runner and workers of this program as processes of their own, and stops them on close.
 * @param queues what the workers consume; none start where it is empty
 */
export function startProcesses(
  config: Config,
  workers: number,
  queues: readonly string[],
  studyDir: string,
): Processes {
  const died = Promise.withResolvers<string>();
  let closing = false;
  const start = (name: string, args: readonly string[]): OwnProcess => {
    const started = startOwnProcess(config, name, args);
    void started.ended.then((how) => {
      if (!closing) died.resolve(`the ${name} ended early (${how})`);
    });
    return started;
  };

  const children = [start('runner', ['--quiet', '--studies', studyDir])];
  if (queues.length > 0) {
    const flags = [...workerFlags(config), '--queues', queues.join(',')];
    for (let n = 0; n < workers; n++) children.push(start('worker', flags));
  }
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.all(children.map((child) => child.stop()));
  };
  return { died: died.promise, close, [Symbol.asyncDispose]: close };
}
