import { type ChildProcess, spawn } from 'node:child_process';
import type { Config } from '../config/config.ts';
import { selfCommand } from '../lib/self-command.ts';

/** A process of this program, such as a worker, on the broker and the database of its starter. */
export interface OwnProcess {
  /** Resolves when it has ended, with how: `signal SIGKILL` or `code 1`. */
  ended: Promise<string>;
  readonly isRunning: boolean;
  /** Asks it to stop, and kills it when it does not; resolves when it is gone. */
  stop(): Promise<void>;
}

const STOP_MARGIN_MS = 10_000;

/** A process that is to stop and does not is ended after so long, milliseconds. */
export function stopPatienceMs({ workerGraceMs }: Config): number {
  return workerGraceMs + STOP_MARGIN_MS;
}

export function startOwnProcess(config: Config, name: string, args: readonly string[]): OwnProcess {
  const { command, args: self } = selfCommand();
  const child: ChildProcess = spawn(command, [...self, name, ...args], {
    // Metric lines are what they have to say there. By the channel it sees that we are gone.
    stdio: ['ignore', config.metricLog ? 'inherit' : 'ignore', 'inherit', 'ipc'],
    // A group of its own: Ctrl-C reaches the starter alone, which stops these in order.
    detached: true,
    env: {
      ...process.env,
      RABBITMQ_URL: config.rabbitmqUrl!,
      DATABASE_URL: config.databaseUrl!,
    },
  });
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    ended,
    get isRunning() {
      return isRunning();
    },
    stop: async () => {
      if (!isRunning()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs(config));
      await ended;
      clearTimeout(timer);
    },
  };
}

export function workerFlags(config: Config): string[] {
  return [
    '--quiet',
    ...['--concurrency', String(config.workerConcurrency)],
    ...['--prefetch', String(config.workerPrefetch)],
  ];
}
