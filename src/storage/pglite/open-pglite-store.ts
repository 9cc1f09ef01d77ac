import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { toYeeterError, YeeterError } from '../../lib/errors.ts';
import { workerEntry } from '../../lib/worker-entry.ts';
import type { ServerStore } from '../server-port.ts';
import type { StorageThreadOptions, ThreadCommand, ThreadReport } from './storage-thread.ts';
import { createStoreClient, rebuiltError } from './store-client.ts';

export interface PgliteStoreOptions {
  /** Made where it is missing. PostgreSQL's files are in its `pgdata`. @default .yeeter */
  dataDir?: string;
  /** Lines for people: making a new folder takes seconds. */
  onProgress?: (line: string) => void;
}

export interface PgliteStore extends ServerStore {
  /** A connection for another thread, which makes a store of it with `createStoreClient`; transfer the port. */
  connectPort(): MessagePort;
}

/** @throws {YeeterError} what the thread could not open */
async function opened(thread: Worker, onProgress: (line: string) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    thread.on('message', (message: ThreadReport) => {
      if (message.report === 'progress') onProgress(message.line);
      else if (message.report === 'ready') resolve();
      else if (message.report === 'failed') reject(rebuiltError(message.error));
    });
    thread.once('error', (error) => reject(toYeeterError(error)));
    thread.once('exit', () =>
      reject(new YeeterError('STORAGE_FAILED', 'the storage thread ended at its start')),
    );
  });
}

/**
 * PostgreSQL in WebAssembly in a folder of this machine, for one process at a time. It runs on a thread of its
 * own, because a batch blocks its thread for tens of milliseconds.
 * @throws {YeeterError} STORAGE_LOCKED when another process has the folder, STORAGE_FAILED, DISK_FULL
 */
export async function openPgliteStore(options: PgliteStoreOptions = {}): Promise<PgliteStore> {
  const { dataDir = '.yeeter', onProgress = () => {} } = options;
  const workerData: StorageThreadOptions = { dataDir };
  const thread = new Worker(workerEntry(import.meta.url, './storage-thread'), { workerData });
  await opened(thread, onProgress);

  const connectPort = (): MessagePort => {
    const { port1, port2 } = new MessageChannel();
    const message: ThreadCommand = { command: 'connect', port: port2 };
    thread.postMessage(message, [port2]);
    return port1;
  };
  const client = createStoreClient(connectPort());

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      await client.close();
      const report = new Promise<ThreadReport | null>((resolve) => {
        thread.on('message', (message: ThreadReport) => message.report === 'closed' && resolve(message));
        thread.once('exit', () => resolve(null));
      });
      thread.postMessage({ command: 'close' } satisfies ThreadCommand);
      const last = await report;
      await thread.terminate();
      if (last?.report === 'closed' && last.error) throw rebuiltError(last.error);
    })();
    return closing;
  };
  return { ...client, connectPort, close, [Symbol.asyncDispose]: close };
}
