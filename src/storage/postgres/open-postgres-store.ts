import { type Clock, systemClock } from '../../lib/clock.ts';
import type { StoragePort } from '../port.ts';
import { SqlStore } from '../sql-store.ts';
import { openPg } from './pg-executor.ts';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database` */
  databaseUrl: string;
  /** Connections. @default 8 */
  poolSize?: number;
  clock?: Clock;
}

/** PostgreSQL 15 or newer, for any number of processes. @throws {YeeterError} STORAGE_FAILED, DISK_FULL */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<StoragePort> {
  const { databaseUrl, poolSize = 8, clock = systemClock } = options;
  const executor = openPg(databaseUrl, poolSize);
  try {
    return await SqlStore.open(executor, clock, executor.where);
  } catch (error) {
    await executor.close();
    throw error;
  }
}
