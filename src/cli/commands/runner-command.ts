import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  configOf,
  type DurableFlags,
  logLine,
  untilInterrupted,
  withDurableUrls,
} from './durable-options.ts';
import { wholeNumber } from './options.ts';

const EXAMPLES = `
Any number of runners may work on one ledger: each run has one at a time, and another goes on with it when that one
dies. Ctrl-C or SIGTERM gives the runs back and ends with 0.

Examples:
  $ yeeter runner --database-url postgres://yeeter@127.0.0.1/yeeter --queue-url amqp://127.0.0.1`;

interface RunnerFlags extends DurableFlags {
  maxRuns: number;
  studies?: string;
  benchRun?: number;
  quiet: boolean;
}

export function addRunnerCommand(program: Command): void {
  withDurableUrls(program.command('runner'))
    .description('carry runs from PostgreSQL: start their patients, publish their jobs, end them')
    .option('--max-runs <count>', 'runs at a time', wholeNumber(1, 100), 4)
    .option('--studies <dir>', 'where steps with "store: disk" write')
    .addOption(
      new Option('--bench-run <run>', 'cancelled when the bench that started this runner is gone')
        .argParser(wholeNumber(1, 2 ** 53 - 1))
        .hideHelp(),
    )
    .option('--quiet', 'print nothing but faults', false)
    .addHelpText('after', EXAMPLES)
    .action(async (flags: RunnerFlags) => {
      const { cancelAbandonedRun } = await import('../../roles/abandoned-run.ts');
      const { openDurableShape } = await import('../../roles/durable-shape.ts');
      const { openMetricLines } = await import('../../roles/metric-lines.ts');
      const { startRunnerRole } = await import('../../roles/runner-role.ts');
      const log = flags.quiet ? () => {} : logLine;
      const config = configOf(flags);
      const processId = `runner-${process.pid}-${randomUUID().slice(0, 8)}`;
      await using shape = await openDurableShape(config, 'yeeter runner', logLine);
      await using metricLog = openMetricLines(config, processId, shape.clock);
      await using runner = startRunnerRole({
        ...shape,
        processId,
        metricLog,
        maxRuns: flags.maxRuns,
        studyDir: flags.studies === undefined ? null : resolve(flags.studies),
        log,
      });
      const interrupted = untilInterrupted(config, runner.ended);
      log('runner ready');
      const reason = await interrupted;
      if (reason === 'starter gone' && flags.benchRun !== undefined) {
        await cancelAbandonedRun(shape.store, flags.benchRun);
      }
    });
}
