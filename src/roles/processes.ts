import { type ChildProcess, spawn } from 'node:child_process';
import type { Config } from '../config/config.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { selfCommand } from '../lib/self-command.ts';

export interface Processes extends Closeable {
  /** Resolves with a line when one of them ends before it is closed. */
  died: Promise<string>;
}

/** A process that is asked to stop and does not is killed after so long, milliseconds. */
const STOP_TIMEOUT_MS = 20_000;

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
  const { command, args } = selfCommand();
  const died = Promise.withResolvers<string>();
  let closing = false;

  const start = (name: string, ...more: string[]): ChildProcess => {
    const child = spawn(command, [...args, name, ...more], {
      // Metric lines are what they have to say there.
      stdio: ['ignore', config.metricLog ? 'inherit' : 'ignore', 'inherit'],
      // A group of its own: Ctrl-C reaches the bench alone, which stops these in order.
      detached: true,
      env: {
        ...process.env,
        RABBITMQ_URL: config.rabbitmqUrl!,
        DATABASE_URL: config.databaseUrl!,
      },
    });
    child.once('exit', (code, signal) => {
      if (!closing) died.resolve(`the ${name} ended early (${signal ?? `code ${code}`})`);
    });
    return child;
  };

  const children = [start('runner', '--quiet', '--studies', studyDir)];
  if (queues.length > 0) {
    const flags = [
      '--quiet',
      '--queues',
      queues.join(','),
      '--concurrency',
      String(config.workerConcurrency),
    ];
    for (let n = 0; n < workers; n++) children.push(start('worker', ...flags));
  }

  const stop = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  };
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.all(children.map(stop));
  };
  return { died: died.promise, close, [Symbol.asyncDispose]: close };
}
