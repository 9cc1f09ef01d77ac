import type { Config } from '../config/config.ts';
import { asyncQueues } from '../domain/async-queues.ts';
import { isOver } from '../domain/run-state.ts';
import { delay } from '../lib/lifecycle.ts';
import type { LivePort } from '../live/port.ts';
import type { QueuePort } from '../queue/port.ts';
import { openDurableShape } from '../roles/durable-shape.ts';
import type { EmbeddedEnd, EmbeddedRun } from '../roles/embedded.ts';
import type { EngineMessage, EngineProgress } from '../roles/engine-protocol.ts';
import { type ProcessesOptions, startProcesses } from '../roles/processes.ts';
import { requireSettings } from '../roles/require-settings.ts';
import type { CoordinationPort } from '../storage/coordination-port.ts';
import type { RunRecord } from '../storage/port.ts';
import { migratePostgres } from '../storage/postgres/migrate-postgres.ts';
import type { BenchShape } from './bench-shape.ts';
import { unconsumed, workerCommand } from './unconsumed.ts';

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
  const { databaseUrl } = requireSettings(config, ['databaseUrl', 'rabbitmqUrl']);
  await migratePostgres(databaseUrl);
  const { store, queue, live, close } = await openDurableShape(config, 'yeeter bench', log);
  try {
    await queue.declare(queues);
    if (workers === 0) await sayUnconsumed(queue, queues, log);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    store,
    resumable: false,
    start: (run, { studyDir }) => watchProcesses({ store, live, run, config, workers, studyDir, log }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function sayUnconsumed(
  queue: QueuePort,
  queues: readonly string[],
  log: (line: string) => void,
): Promise<void> {
  const alone = (await queue.depth(queues)).filter(({ consumers }) => consumers === 0);
  if (alone.length === 0) return;
  const names = alone.map((depth) => depth.queue);
  log(unconsumed(names, `start ${workerCommand(names)}`));
}

const POLL_MS = 500;
/** Progress is asked for no more often than that its reading takes a tenth of the time. */
const READING_SHARE = 10;
/** When there may be no runner left that ends the run. */
const END_PATIENCE_MS = 15_000;

interface WatchOptions extends Omit<ProcessesOptions, 'queues' | 'runId'> {
  store: CoordinationPort;
  live: LivePort;
  run: RunRecord;
}

function watchProcesses({ store, live, run, config, workers, studyDir, log }: WatchOptions): EmbeddedRun {
  const listeners: ((message: Exclude<EngineMessage, { type: 'ended' }>) => void)[] = [];
  const queues = asyncQueues(run.template);
  const processes = startProcesses({ config, workers, queues, studyDir, runId: run.id, log });
  let gaveUp: { why: string; atMs: number } | null = null;
  void processes.gaveUp.then(async (why) => {
    gaveUp = { why, atMs: performance.now() };
    // Its sinks end with the bench: what others went on with would fail.
    await store.requestCancel(run.id);
  });

  let endPause = (): void => {};
  const forget = live.subscribe((fact) => {
    if (fact.kind === 'run_over' && fact.runId === run.id) endPause();
  });

  const follow = async (): Promise<EmbeddedEnd> => {
    let progress = await readProgress(store, run.id);
    let isLeft = false;
    for (let { status } = run; !isOver(status) && !isLeft; ) {
      const pause = new AbortController();
      endPause = () => pause.abort();
      const askedMs = performance.now();
      progress = await readProgress(store, run.id);
      const tookMs = performance.now() - askedMs;
      for (const listener of listeners) {
        listener({ type: 'progress', progress, memory: { heapUsedBytes: 0, externalBytes: 0 } });
      }
      await delay(Math.max(POLL_MS, tookMs * READING_SHARE), pause.signal);
      ({ status } = await store.getRun(run.id));
      isLeft = gaveUp !== null && performance.now() - gaveUp.atMs > END_PATIENCE_MS;
    }
    await processes.close();
    const fault = gaveUp && {
      code: 'INTERNAL',
      message: `${gaveUp.why}: run ${run.id} was cancelled${isLeft ? ', which the next runner carries out' : ''}`,
      accountsKept: true,
    };
    return { progress: await readProgress(store, run.id), memory: null, fault };
  };

  return {
    onMessage: (listener) => listeners.push(listener),
    stop: () => void store.requestCancel(run.id),
    ended: follow().finally(() => {
      forget();
      return processes.close();
    }),
  };
}

/** @throws {YeeterError} RUN_NOT_FOUND */
async function readProgress(store: CoordinationPort, runId: number): Promise<EngineProgress> {
  const progress = await store.runProgress(runId);
  const { started, completed, failed, cancelled } = progress;
  return { ...progress, inFlight: started - completed - failed - cancelled };
}
