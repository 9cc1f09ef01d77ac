import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { migratePostgres } from '../storage/postgres/migrate-postgres.ts';
import { openPostgresStore } from '../storage/postgres/open-postgres-store.ts';
import { startOwnProcess, workerFlags } from './child-process.ts';
import { aboutSinks, type LastingSinks, startLastingSinks } from './lasting-sinks.ts';
import { createProcessesTarget } from './processes-target.ts';
import { requireSettings } from './require-settings.ts';
import type { Served, ServeOptions } from './serve.ts';
import { serveApi } from './serve-api.ts';

/** The server here; receivers, a runner and workers as processes of their own, which end with it. */
export async function serveProcesses(options: ServeOptions): Promise<Served> {
  const { config, log } = options;
  const { databaseUrl } = requireSettings(config, ['databaseUrl', 'jwtSecret']);
  await migratePostgres(databaseUrl, log);
  const studyDir = join(resolve(options.dataDir), 'studies');
  await mkdir(studyDir, { recursive: true });
  await using parts = new AsyncDisposableStack();
  const sinks = parts.use(await startSinks(databaseUrl, log));
  const runner = parts.use(
    createProcessesTarget({
      start: () => startOwnProcess(config, 'runner', ['--quiet', '--studies', studyDir]),
      log,
    }),
  );
  const workers = parts.use(
    createProcessesTarget({
      start: () => startOwnProcess(config, 'worker', [...workerFlags(config), '--all-queues']),
      log,
    }),
  );
  await runner.scale(1);
  await workers.scale(options.workers);
  const api = parts.use(await serveApi({ ...options, target: workers, sinks }));
  const owned = parts.move();
  const close = (): Promise<void> => owned.disposeAsync();
  return {
    ...api,
    about: [
      `a runner and ${options.workers} workers as processes of their own; studies in ${studyDir}`,
      aboutSinks(sinks.ports),
    ],
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function startSinks(databaseUrl: string, log: (line: string) => void): Promise<LastingSinks> {
  await using store = await openPostgresStore({ databaseUrl, warn: log });
  return await startLastingSinks(store, log);
}
