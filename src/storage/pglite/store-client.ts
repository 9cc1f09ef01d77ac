import type { MessagePort } from 'node:worker_threads';
import { YeeterError } from '../../lib/errors.ts';
import type { CoordinationPort } from '../coordination-port.ts';
import { encodeLedger } from '../ledger-tables.ts';
import type { SqlStore } from '../sql-store.ts';
import type { PlainError, StoreMethod, StoreRequest, StoreResponse } from './store-protocol.ts';

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
export function createStoreClient(port: MessagePort): CoordinationPort {
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

  const call = <M extends StoreMethod>(
    method: M,
    ...parameters: Parameters<SqlStore[M]>
  ): ReturnType<SqlStore[M]> => {
    const answer = new Promise<unknown>((resolve, reject) => {
      if (gone) return reject(gone);
      const request: StoreRequest = { id: nextId++, method, parameters };
      waiters.set(request.id, { resolve, reject });
      port.ref();
      port.postMessage(request);
    });
    return answer as ReturnType<SqlStore[M]>;
  };

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

  return {
    deployment: () => call('deployment'),
    claimNamespaces: (count) => call('claimNamespaces', count),
    createRun: (run) => call('createRun', run),
    getRun: (runId) => call('getRun', runId),
    listRuns: (filter) => call('listRuns', filter),
    transitionRun: (runId, event, change) => call('transitionRun', runId, event, change),
    requestCancel: (runId) => call('requestCancel', runId),
    writeLedger: async (batch) => await call('writeEncodedLedger', encodeLedger(batch)),
    runTotals: (runId) => call('runTotals', runId),
    finishedIterations: (runId, page) => call('finishedIterations', runId, page),
    countFinished: (runId) => call('countFinished', runId),
    readAttempts: (runId, page) => call('readAttempts', runId, page),
    readIterations: (runId, page) => call('readIterations', runId, page),
    readEvents: (runId, page) => call('readEvents', runId, page),
    readWindows: (runId, page) => call('readWindows', runId, page),
    readHealth: (runId) => call('readHealth', runId),
    readDepths: (runId) => call('readDepths', runId),
    listTargets: () => call('listTargets'),
    registerTarget: (target) => call('registerTarget', target),
    removeTarget: (host, port_) => call('removeTarget', host, port_),
    claimRun: (runnerId, leaseMs) => call('claimRun', runnerId, leaseMs),
    renewLease: (runId, fence, leaseMs) => call('renewLease', runId, fence, leaseMs),
    releaseLease: (runId, fence) => call('releaseLease', runId, fence),
    setStarted: (runId, fence, started) => call('setStarted', runId, fence, started),
    runCounts: (runId) => call('runCounts', runId),
    handedOffIterations: (runId, page) => call('handedOffIterations', runId, page),
    control: () => call('control'),
    setQueueMode: (queue, mode) => call('setQueueMode', queue, mode),
    heartbeat: (worker) => call('heartbeat', worker),
    listWorkers: (filter) => call('listWorkers', filter),
    deadJobs: (filter) => call('deadJobs', filter),
    reopenJobs: (jobs) => call('reopenJobs', jobs),
    close,
    [Symbol.asyncDispose]: close,
  };
}
