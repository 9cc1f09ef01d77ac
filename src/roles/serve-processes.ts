import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { migratePostgres } from '../storage/postgres/migrate-postgres.ts';
import { startOwnProcess, workerFlags } from './child-process.ts';
import { createProcessesTarget } from './processes-target.ts';
import { requireSettings } from './require-settings.ts';
import type { Served, ServeOptions } from './serve.ts';
import { serveApi } from './serve-api.ts';

/** The server here; a runner and workers as processes of their own, which end with it. */
export async function serveProcesses(options: ServeOptions): Promise<Served> {
  const { config, log } = options;
  const { databaseUrl } = requireSettings(config, ['databaseUrl', 'jwtSecret']);
  await migratePostgres(databaseUrl, log);
  const studyDir = join(resolve(options.dataDir), 'studies');
  await mkdir(studyDir, { recursive: true });
  await using parts = new AsyncDisposableStack();
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
  const api = parts.use(await serveApi({ ...options, target: workers }));
  const owned = parts.move();
  const close = (): Promise<void> => owned.disposeAsync();
  return {
    ...api,
    about: [`a runner and ${options.workers} workers as processes of their own; studies in ${studyDir}`],
    close,
    [Symbol.asyncDispose]: close,
  };
}
