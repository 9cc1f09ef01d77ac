import type { Config } from '../config/config.ts';
import { asyncQueues } from '../domain/async-queues.ts';
import { isOver } from '../domain/run-state.ts';
import { delay } from '../lib/lifecycle.ts';
import { openDurableShape, requireDatabaseUrl, requireRabbitUrl } from '../roles/durable-shape.ts';
import type { EmbeddedEnd, EmbeddedRun } from '../roles/embedded.ts';
import type { EngineMessage, EngineProgress } from '../roles/engine-protocol.ts';
import { startProcesses } from '../roles/processes.ts';
import type { CoordinationPort } from '../storage/coordination-port.ts';
import type { RunRecord } from '../storage/port.ts';
import { migratePostgres } from '../storage/postgres/migrate-postgres.ts';
import type { BenchShape } from './bench-shape.ts';

/**
 * RabbitMQ and PostgreSQL, with a runner and workers as processes of their own. What would keep them from starting is
 * found here, before there is a run that waits for them.
 *
 * @param queues of the template
 * @throws {YeeterError} CONFIG_INVALID, CONNECT_*, QUEUE_UNREACHABLE, QUEUE_MISMATCH
 */
export async function openProcessesShape(
  config: Config,
  workers: number,
  queues: readonly string[],
  log: (line: string) => void,
): Promise<BenchShape> {
  const databaseUrl = requireDatabaseUrl(config);
  requireRabbitUrl(config);
  await migratePostgres(databaseUrl);
  const { store, queue, close } = await openDurableShape(config, 'yeeter bench', log);
  await queue.declare(queues).catch(async (error) => {
    await close();
    throw error;
  });
  return {
    store,
    resumable: false,
    start: (run, { studyDir }) => watchProcesses(store, run, config, workers, studyDir),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const POLL_MS = 500;
/** Totals are asked for no more often than that their reading takes a tenth of the time. */
const TOTALS_SHARE = 10;

function watchProcesses(
  store: CoordinationPort,
  run: RunRecord,
  config: Config,
  workers: number,
  studyDir: string,
): EmbeddedRun {
  const listeners: ((message: Exclude<EngineMessage, { type: 'ended' }>) => void)[] = [];
  const processes = startProcesses(config, workers, asyncQueues(run.template), studyDir);
  let dead: string | null = null;
  void processes.died.then((line) => {
    dead = line;
  });

  const follow = async (): Promise<EmbeddedEnd> => {
    let progress = await readProgress(store, run.id);
    let fault: EmbeddedEnd['fault'] = null;
    for (let status = run.status; !isOver(status); ) {
      const askedMs = performance.now();
      progress = await readProgress(store, run.id);
      const tookMs = performance.now() - askedMs;
      for (const listener of listeners) {
        listener({ type: 'progress', progress, memory: { heapUsedBytes: 0, externalBytes: 0 } });
      }
      await delay(Math.max(POLL_MS, tookMs * TOTALS_SHARE));
      ({ status } = await store.getRun(run.id));
      if (dead && !isOver(status)) {
        const message = `${dead}: run ${run.id} goes on as soon as another runner and workers do`;
        fault = { code: 'INTERNAL', message, runGoesOn: true };
        break;
      }
    }
    await processes.close();
    return { progress: await readProgress(store, run.id), memory: null, fault };
  };

  return {
    onMessage: (listener) => listeners.push(listener),
    stop: () => void store.requestCancel(run.id),
    ended: follow().finally(() => processes.close()),
  };
}

async function readProgress(store: CoordinationPort, runId: number): Promise<EngineProgress> {
  const run = await store.getRun(runId);
  const totals = await store.runTotals(runId);
  const ended = totals.completed + totals.failed + totals.cancelled;
  const okOf = (series: string): number =>
    totals.series.find((candidate) => candidate.series === series)?.okCount ?? 0;
  const started = Math.max(run.startedIterations, ended);
  return {
    started,
    completed: totals.completed,
    failed: totals.failed,
    cancelled: totals.cancelled,
    inFlight: started - ended,
    orders: okOf('order_ack'),
    instances: okOf('dicom_store'),
    bytes: totals.series.find(({ series }) => series === 'dicom_store')?.bytes ?? 0,
  };
}
