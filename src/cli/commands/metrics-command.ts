import { type Command, InvalidArgumentError, Option } from 'commander';
import { RUN_STATUSES } from '../../domain/run-state.ts';
import { DECISION_REPORT, printReport, RUN_REPORT, WORKER_REPORT } from '../remote/metrics.ts';
import { OUTPUT_FORMATS } from '../remote/output.ts';
import { listWorkers, scaleWorkers, scalingStatus } from '../remote/workers.ts';
import { addExamples, isoTime, wholeNumber } from './options.ts';
import { seconds, serverFlags, withFormat, withServer } from './server-options.ts';

const METRICS_EXAMPLES = `
CSV without --limit is all there is, passed on as it comes.

Examples:
  $ yeeter metrics runs --status COMPLETED --start-at 2026-01-05T00:00:00Z
  $ yeeter metrics runs --format csv --out runs.csv
  $ yeeter metrics workers --run-id 7 --format csv > jobs.csv`;

const WORKERS_EXAMPLES = `
Examples:
  $ yeeter workers list
  $ yeeter workers scale 4 --reason "nightly load" --ttl 2h
  $ yeeter workers scale 8 --dry-run`;

const SCALING_EXAMPLES = `
Examples:
  $ yeeter scaling status
  $ yeeter scaling decisions --from 2026-01-05T00:00:00Z --format csv --out decisions.csv`;

const MAX_ID = 2 ** 53 - 1;

function report(command: Command): Command {
  return withFormat(withServer(command), OUTPUT_FORMATS).option('--out <file>', 'store it there');
}

function time(text: string): string {
  return new Date(isoTime(text)).toISOString();
}

function yesOrNo(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('it is neither true nor false.');
  return text === 'true';
}

export function addMetricsCommand(program: Command): void {
  const metrics = program.command('metrics').description('what runs and workers measured, from a server');
  const runs = report(metrics.command('runs'))
    .description('a row a run')
    .option('--run-id <id>', 'this run', wholeNumber(1, MAX_ID))
    .option('--template-id <id>', 'runs of this template', wholeNumber(1, MAX_ID))
    .addOption(new Option('--status <status>', 'runs in this state').choices(RUN_STATUSES))
    .option('--start-at <time>', 'started then or later, ISO 8601', time)
    .option('--end-at <time>', 'completed then or earlier, ISO 8601', time)
    .option('--limit <count>', 'so many at most', wholeNumber(1, 1000))
    .action(({ runId, templateId, status, startAt, endAt, limit, ...flags }) =>
      printReport(
        RUN_REPORT,
        { run_id: runId, template_id: templateId, status, start_at: startAt, end_at: endAt, limit },
        { ...flags, ...serverFlags(runs) },
      ),
    );
  const workers = report(metrics.command('workers'))
    .description('a row an attempt of a job, newest first')
    .option('--run-id <id>', 'attempts of this run', wholeNumber(1, MAX_ID))
    .option('--queue <queue>', 'attempts of this queue')
    .addOption(
      new Option('--success <true|false>', 'those that succeeded, or those that did not')
        .choices(['true', 'false'])
        .argParser(yesOrNo),
    )
    .option('--limit <count>', 'so many at most', wholeNumber(1, 2000))
    .action(({ runId, queue, success, limit, ...flags }) =>
      printReport(
        WORKER_REPORT,
        { run_id: runId, queue, success, limit },
        { ...flags, ...serverFlags(workers) },
      ),
    );
  addExamples(metrics, METRICS_EXAMPLES);
}

export function addWorkersCommand(program: Command): void {
  const workers = program.command('workers').description('look at and scale the workers of a server');
  const list = withFormat(withServer(workers.command('list')), OUTPUT_FORMATS)
    .description('workers that are alive')
    .action((flags) => listWorkers({ ...flags, ...serverFlags(list) }));
  const scale = withFormat(withServer(workers.command('scale')), ['table', 'json'])
    .description('ask for so many workers; overrides the autoscaler')
    .argument('<replicas>', 'workers', wholeNumber(0, 1000))
    .option('--reason <text>', 'for the list of decisions')
    .option('--ttl <time>', 'for so long, for example 90s, 15m or 2h (default: until it is changed)', seconds)
    .option('--dry-run', 'say what would be done and do nothing', false)
    .action((replicas: number, flags) => scaleWorkers(replicas, { ...flags, ...serverFlags(scale) }));
  addExamples(workers, WORKERS_EXAMPLES);
}

export function addScalingCommand(program: Command): void {
  const scaling = program.command('scaling').description('the autoscaler of a server');
  const status = withFormat(withServer(scaling.command('status')), ['table', 'json'])
    .description('its state and settings')
    .action((flags) => scalingStatus({ ...flags, ...serverFlags(status) }));
  const decisions = report(scaling.command('decisions'))
    .description('what was decided, by whom and why')
    .option('--from <time>', 'then or later, ISO 8601', time)
    .option('--to <time>', 'then or earlier, ISO 8601', time)
    .option('--limit <count>', 'so many at most', wholeNumber(1, 1000))
    .action(({ from, to, limit, ...flags }) =>
      printReport(DECISION_REPORT, { from, to, limit }, { ...flags, ...serverFlags(decisions) }),
    );
  addExamples(scaling, SCALING_EXAMPLES);
}
