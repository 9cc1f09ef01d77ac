import { MessageChannel, Worker } from 'node:worker_threads';
import { toYeeterError, YeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { callOver } from '../lib/thread-calls.ts';
import { workerEntry } from '../lib/worker-entry.ts';
import type { LocalLive } from '../live/local-live.ts';
import type { PgliteStore } from '../storage/pglite/open-pglite-store.ts';
import {
  ENGINE_HOST_METHODS,
  type EngineHostInput,
  type EngineHostMessage,
  type EngineHostMethods,
} from './engine-host-protocol.ts';

export type EngineHostOptions = Omit<EngineHostInput, 'storagePort' | 'livePort' | 'callsPort'> & {
  store: PgliteStore;
  live: LocalLive;
  log: (line: string) => void;
};

/** The thread that plays the runs of the embedded shape, as its owner sees it. */
export interface EngineHost extends Closeable {
  methods: EngineHostMethods;
  /** Rejects when the thread ends before it is closed. */
  failed: Promise<never>;
}

/** Resolves when its first workers are there. @throws {YeeterError} what the thread could not start with */
export async function startEngineHost(options: EngineHostOptions): Promise<EngineHost> {
  const { store, live, log, ...rest } = options;
  const { port1: callsPort, port2 } = new MessageChannel();
  const storagePort = store.connectPort();
  const livePort = live.connectPort();
  const thread = new Worker(workerEntry(import.meta.url, './engine-host-thread'), {
    workerData: { ...rest, storagePort, livePort, callsPort: port2 } satisfies EngineHostInput,
    transferList: [storagePort, livePort, port2],
  });
  const methods = callOver<EngineHostMethods>(callsPort, ENGINE_HOST_METHODS);
  const ready = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let closing: Promise<void> | null = null;
  thread.on('message', (message: EngineHostMessage) => {
    if (message.type === 'ready') ready.resolve();
    else log(message.line);
  });
  const fail = (error: YeeterError): void => {
    ready.reject(error);
    if (!closing) failed.reject(error);
  };
  thread.on('error', (error) => fail(toYeeterError(error)));
  const exited = new Promise<void>((resolve) => {
    thread.on('exit', () => {
      fail(new YeeterError('INTERNAL', 'the thread that plays the runs has ended'));
      resolve();
    });
  });
  await ready.promise;

  const close = (): Promise<void> => {
    closing ??= (async () => {
      await methods.stop();
      callsPort.close();
      await exited;
    })();
    return closing;
  };
  return { methods, failed: failed.promise, close, [Symbol.asyncDispose]: close };
}
