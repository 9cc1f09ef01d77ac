import type { MessagePort } from 'node:worker_threads';
import { YeeterError } from '../../lib/errors.ts';
import { encodeLedger } from '../ledger-tables.ts';
import type { SqlServerStore } from '../open-sql-store.ts';
import type { ServerStore } from '../server-port.ts';
import {
  type PlainError,
  STORE_METHODS,
  type StoreMethod,
  type StoreRequest,
  type StoreResponse,
} from './store-protocol.ts';

interface Waiter {
  resolve(value: unknown): void;
  reject(error: YeeterError): void;
}

export function rebuiltError({ code, message, retryable }: PlainError): YeeterError {
  return new YeeterError(code, message, { retryable });
}

/**
 * The store from any thread that was handed a port of `connectPort()`. Batches are encoded here, so that the
 * storage thread takes them as they come. The port holds the process only while an answer is awaited; `close()`
 * waits for those and closes the port, not the store.
 */
export function createStoreClient(port: MessagePort): ServerStore {
  const waiters = new Map<number, Waiter>();
  let nextId = 1;
  let gone: YeeterError | null = null;
  let idle: (() => void) | null = null;

  const settled = (id: number): Waiter | undefined => {
    const waiter = waiters.get(id);
    waiters.delete(id);
    if (waiters.size === 0) {
      port.unref();
      idle?.();
    }
    return waiter;
  };
  port.on('message', (response: StoreResponse) => {
    const waiter = settled(response.id);
    if ('error' in response) waiter?.reject(rebuiltError(response.error));
    else waiter?.resolve(response.value);
  });
  port.on('close', () => {
    gone ??= new YeeterError('STORAGE_FAILED', 'the storage thread has ended: the store is closed');
    for (const id of [...waiters.keys()]) settled(id)?.reject(gone);
  });
  port.unref();

  const call = (method: StoreMethod, parameters: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (gone) return reject(gone);
      const request: StoreRequest = { id: nextId++, method, parameters };
      waiters.set(request.id, { resolve, reject });
      port.ref();
      port.postMessage(request);
    });
  const methods = Object.fromEntries(
    STORE_METHODS.map((name) => [name, (...parameters: unknown[]) => call(name, parameters)]),
  ) as unknown as Pick<SqlServerStore, StoreMethod>;

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      const waiting = waiters.size > 0 ? new Promise<void>((resolve) => (idle = resolve)) : null;
      gone ??= new YeeterError('STORAGE_FAILED', 'this connection to the store is closed');
      await waiting;
      port.close();
    })();
    return closing;
  };

  const { writeEncodedLedger, ...asTheyAre } = methods;
  return {
    ...asTheyAre,
    writeLedger: async (batch) => await writeEncodedLedger(encodeLedger(batch)),
    close,
    [Symbol.asyncDispose]: close,
  };
}
