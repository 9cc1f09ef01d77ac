import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { DEFAULT_QUEUE } from '../../domain/template.ts';
import { VERSION } from '../../lib/version.ts';
import {
  configOf,
  type DurableFlags,
  logLine,
  untilInterrupted,
  withDurableUrls,
} from './durable-options.ts';
import { queueNames, settingBy } from './options.ts';

const EXAMPLES = `
Ctrl-C or SIGTERM stops consuming, hands back what has not begun, finishes what has, and ends with 0.

Examples:
  $ yeeter worker --queues yeeter.simulation.orders,stores --concurrency 8
  $ WORKER_PREFETCH=64 yeeter worker --all-queues`;

interface WorkerFlags extends DurableFlags {
  queues?: string[];
  allQueues: boolean;
  prefetch?: string;
  concurrency?: string;
  grace?: string;
  quiet: boolean;
}

export function addWorkerCommand(program: Command): void {
  withDurableUrls(program.command('worker'))
    .description('work off the jobs of queues on RabbitMQ')
    .option(
      '--queues <names>',
      'queues, separated by commas (environment: RABBITMQ_ORDER_QUEUE, one)',
      queueNames,
    )
    .option('--all-queues', 'the queues of every run, too, as runs come and go', false)
    .option(
      '--prefetch <count>',
      'unacknowledged jobs of each queue (WORKER_PREFETCH, 32)',
      settingBy('--prefetch', 'WORKER_PREFETCH'),
    )
    .option(
      '--concurrency <count>',
      'jobs at a time (WORKER_CONCURRENCY, 8)',
      settingBy('--concurrency', 'WORKER_CONCURRENCY'),
    )
    .option(
      '--grace <ms>',
      'for what has begun when it is asked to stop (WORKER_GRACE_MS, 10000)',
      settingBy('--grace', 'WORKER_GRACE_MS'),
    )
    .option('--quiet', 'print nothing but faults', false)
    .addHelpText('after', EXAMPLES)
    .action(async (flags: WorkerFlags) => {
      const { openDurableShape } = await import('../../roles/durable-shape.ts');
      const { openMetricLines } = await import('../../roles/metric-lines.ts');
      const { startWorkerRole } = await import('../../roles/worker-role.ts');
      const config = configOf(flags, {
        WORKER_PREFETCH: flags.prefetch,
        WORKER_CONCURRENCY: flags.concurrency,
        WORKER_GRACE_MS: flags.grace,
      });
      const queues = flags.queues ?? [config.orderQueue ?? DEFAULT_QUEUE];
      const log = flags.quiet ? () => {} : logLine;
      await using shape = await openDurableShape(config, 'yeeter worker', logLine);
      const processId = `worker-${process.pid}-${randomUUID().slice(0, 8)}`;
      await using metricLog = openMetricLines(config, processId, shape.clock);
      await using worker = await startWorkerRole({
        ...shape,
        queues,
        followsRuns: flags.allQueues,
        processId,
        metricLog,
        version: VERSION,
        prefetch: config.workerPrefetch,
        concurrency: config.workerConcurrency,
        graceMs: config.workerGraceMs,
        log,
      });
      const interrupted = untilInterrupted(config, worker.ended);
      log(`worker ready for ${queues.join(', ')}${flags.allQueues ? ' and those of every run' : ''}`);
      await interrupted;
    });
}
