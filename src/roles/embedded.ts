import { Worker } from 'node:worker_threads';
import { YeeterError } from '../lib/errors.ts';
import { workerEntry } from '../lib/worker-entry.ts';
import type { PgliteStore } from '../storage/pglite/open-pglite-store.ts';
import type {
  EngineCommand,
  EngineInput,
  EngineMemory,
  EngineMessage,
  EngineProgress,
} from './engine-protocol.ts';

export interface RunFault {
  code: string;
  message: string;
  /** The ledger is complete all the same. */
  accountsKept?: boolean;
}

export interface EmbeddedEnd {
  progress: EngineProgress;
  /** Of the engine's thread at its end; null where it runs elsewhere. */
  memory: EngineMemory | null;
  /** Why this is not the end of the run, or of its accounts; null when they are complete. */
  fault: RunFault | null;
}

/** A run on a thread of its own. */
export interface EmbeddedRun {
  onMessage: (listener: (message: Exclude<EngineMessage, { type: 'ended' }>) => void) => void;
  /** Starts nothing more; what is in flight is finished, or cut off after the grace period. */
  stop(): void;
  ended: Promise<EmbeddedEnd>;
}

export type EmbeddedInput = Omit<EngineInput, 'storagePort'>;

/** Starts the engine's thread, which talks to the storage thread directly. */
export function startEmbeddedRun(store: PgliteStore, input: EmbeddedInput): EmbeddedRun {
  const storagePort = store.connectPort();
  const worker = new Worker(workerEntry(import.meta.url, './engine-thread'), {
    workerData: { ...input, storagePort } satisfies EngineInput,
    transferList: [storagePort],
  });
  const listeners: ((message: Exclude<EngineMessage, { type: 'ended' }>) => void)[] = [];
  const ended = new Promise<EmbeddedEnd>((resolve, reject) => {
    let end: EmbeddedEnd | null = null;
    worker.on('message', (message: EngineMessage) => {
      if (message.type === 'ended') {
        const { progress, memory, fault } = message;
        end = { progress, memory, fault };
      } else for (const listener of listeners) listener(message);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (end) resolve(end);
      else reject(new YeeterError('INTERNAL', `the engine's thread ended early (${code})`));
    });
  });
  return {
    onMessage: (listener) => listeners.push(listener),
    stop: () => worker.postMessage({ type: 'stop' } satisfies EngineCommand),
    ended,
  };
}
