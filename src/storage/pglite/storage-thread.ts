import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { toYeeterError } from '../../lib/errors.ts';
import { migrate } from '../migrate.ts';
import { openSqlStore, type SqlServerStore } from '../open-sql-store.ts';
import { storageError } from '../storage-error.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { openPglite } from './pglite-executor.ts';
import type { PlainError, StoreRequest, StoreResponse } from './store-protocol.ts';
import { STORE_METHODS } from './store-protocol.ts';

/** What the thread is started with. */
export interface StorageThreadOptions {
  dataDir: string;
}

/** From the opening thread. */
export type ThreadCommand = { command: 'connect'; port: MessagePort } | { command: 'close' };

/** To the opening thread. */
export type ThreadReport =
  | { report: 'progress'; line: string }
  | { report: 'ready' }
  | { report: 'failed'; error: PlainError }
  | { report: 'closed'; error: PlainError | null };

const owner = parentPort!;

function tell(report: ThreadReport): void {
  owner.postMessage(report);
}

function plainError(error: unknown): PlainError {
  const { code, message, retryable } = toYeeterError(error);
  return { code, message, retryable };
}

function serve(store: SqlServerStore, port: MessagePort): void {
  const methods = new Map(
    STORE_METHODS.map((name) => [name as string, store[name].bind(store) as CallableFunction]),
  );
  port.on('message', async ({ id, method, parameters }: StoreRequest) => {
    let response: StoreResponse;
    try {
      response = { id, value: await methods.get(method)!(...parameters) };
    } catch (error) {
      response = { id, error: plainError(error) };
    }
    port.postMessage(response);
  });
}

/**
 * A new folder is marked until it is whole, so that one whose making was cut short (a kill, a full disk) is made
 * again and not taken for a database.
 */
async function makeFolder(dataDir: string, clock: Clock): Promise<SqlServerStore> {
  const folder = join(dataDir, 'pgdata');
  const mark = join(dataDir, 'making');
  const making = existsSync(mark) || !existsSync(folder);
  if (making) {
    tell({
      report: 'progress',
      line: `making a new data folder in ${dataDir}; this takes a few seconds, once`,
    });
    await writeFile(mark, '');
    await rm(folder, { recursive: true, force: true });
  }
  const store = await open(folder, `data folder ${dataDir}`, clock);
  if (making) await rm(mark);
  return store;
}

async function open(folder: string, where: string, clock: Clock): Promise<SqlServerStore> {
  const executor = await openPglite(folder, where);
  try {
    await migrate(executor, where);
    return await openSqlStore(executor, clock, where);
  } catch (error) {
    await executor.close().catch(() => {});
    throw error;
  }
}

async function main(options: StorageThreadOptions): Promise<void> {
  const dataDir = resolve(options.dataDir);
  let lock: FolderLock | null = null;
  let store: SqlServerStore;
  try {
    lock = await lockFolder(dataDir);
    store = await makeFolder(dataDir, systemClock);
  } catch (error) {
    await lock?.release();
    tell({ report: 'failed', error: plainError(storageError(error, `data folder ${dataDir}`)) });
    owner.close();
    return;
  }
  const held = lock;
  owner.on('message', async (message: ThreadCommand) => {
    if (message.command === 'connect') return serve(store, message.port);
    const error = await store.close().then(
      () => null,
      (thrown: unknown) => plainError(thrown),
    );
    await held.release();
    tell({ report: 'closed', error });
    process.exit(0);
  });
  tell({ report: 'ready' });
}

await main(workerData as StorageThreadOptions);
