import { spawn } from 'node:child_process';
import { YeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { selfCommand } from '../lib/self-command.ts';

export interface SinkPorts {
  mllpPort: number;
  dicomPort: number;
}

export interface SinkCounts {
  messages: number;
  messageBytes: number;
  associations: number;
  instances: number;
  instanceBytes: number;
  worklistQueries: number;
  performedSteps: number;
}

/** What the sink's process tells over its channel. */
export type SinkMessage = { type: 'ready'; ports: SinkPorts } | { type: 'counts'; counts: SinkCounts };

/** The built-in sinks in a process of their own, so that what receives does not slow what sends. */
export interface SinkProcess extends Closeable {
  ports: SinkPorts;
  /** Stops it. @returns what it received */
  stop(): Promise<SinkCounts | null>;
}

/** Called AE title of the built-in receiver. */
export const SINK_AE_TITLE = 'YEETER_SINK';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 3000;

const FREE_PORTS: SinkPorts = { mllpPort: 0, dicomPort: 0 };

/**
 * @param wished 0 takes a free one. @default both free
 * @throws {YeeterError} INTERNAL when it does not come up within 20 s, as on a port that is taken
 */
export async function startSinkProcess(wished: SinkPorts = FREE_PORTS): Promise<SinkProcess> {
  const { command, args } = selfCommand();
  const ports = ['--mllp-port', String(wished.mllpPort), '--dicom-port', String(wished.dicomPort)];
  const child = spawn(command, [...args, 'sink', ...ports, '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // A group of its own: Ctrl-C reaches the sender alone, which stops the sink when it needs it no more.
    detached: true,
  });
  const ready = Promise.withResolvers<SinkPorts>();
  const counted = Promise.withResolvers<SinkCounts | null>();
  const startTimer = setTimeout(() => ready.reject(new Error('no sign of life')), START_TIMEOUT_MS);
  child.on('message', (message: SinkMessage) => {
    if (message.type === 'ready') ready.resolve(message.ports);
    else counted.resolve(message.counts);
  });
  child.on('error', ready.reject);
  child.on('exit', (code) => {
    ready.reject(new Error(`it ended with code ${code}`));
    counted.resolve(null);
  });
  let stopping: Promise<SinkCounts | null> | null = null;
  const stop = (): Promise<SinkCounts | null> => {
    stopping ??= (async () => {
      child.kill('SIGTERM');
      const killTimer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      const counts = await counted.promise;
      if (child.exitCode === null && child.signalCode === null) {
        await new Promise((resolve) => child.once('exit', resolve));
      }
      clearTimeout(killTimer);
      return counts;
    })();
    return stopping;
  };
  const close = async (): Promise<void> => {
    await stop();
  };
  try {
    const ports = await ready.promise;
    return { ports, stop, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    child.kill('SIGKILL');
    throw new YeeterError('INTERNAL', `the built-in sinks did not start: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    clearTimeout(startTimer);
  }
}
