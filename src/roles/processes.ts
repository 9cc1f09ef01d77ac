import type { Config } from '../config/config.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { startOwnProcess, workerFlags } from './child-process.ts';
import { type KeptProcess, keepProcess } from './kept-process.ts';

export interface Processes extends Closeable {
  /** Resolves with a line when one of them cannot be kept running. */
  gaveUp: Promise<string>;
}

export interface ProcessesOptions {
  config: Config;
  workers: number;
  /** What the workers consume; none start where it is empty. */
  queues: readonly string[];
  studyDir: string;
  /** The run that they are started for. */
  runId: number;
  log: (line: string) => void;
}

/** Starts a runner and workers of this program as processes of their own, keeps them running, and stops them on close. */
export function startProcesses({
  config,
  workers,
  queues,
  studyDir,
  runId,
  log,
}: ProcessesOptions): Processes {
  const keep = (name: string, args: readonly string[]): KeptProcess =>
    keepProcess({ name, start: () => startOwnProcess(config, name, args), log });
  const kept = [keep('runner', ['--quiet', '--studies', studyDir, '--bench-run', String(runId)])];
  if (queues.length > 0) {
    const flags = [...workerFlags(config), '--queues', queues.join(',')];
    for (let n = 0; n < workers; n++) kept.push(keep('worker', flags));
  }
  const close = async (): Promise<void> => {
    await Promise.all(kept.map((one) => one.close()));
  };
  return { gaveUp: Promise.race(kept.map((one) => one.gaveUp)), close, [Symbol.asyncDispose]: close };
}
