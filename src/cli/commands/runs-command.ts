import { type Command, InvalidArgumentError, Option } from 'commander';
import { RUN_STATUSES } from '../../domain/run-state.ts';
import { ON_FAILURE } from '../../domain/template.ts';
import { OUTPUT_FORMATS } from '../remote/output.ts';
import {
  cancelRun,
  deleteAllRuns,
  deleteRun,
  listRuns,
  runStats,
  showRun,
  startRun,
} from '../remote/runs.ts';
import { openClient } from '../remote/session.ts';
import { addExamples, gather, wholeNumber } from './options.ts';
import { serverFlags, withFormat, withServer } from './server-options.ts';

const EXAMPLES = `
Exit code: 0, 1 when the server says no, cannot be reached, or a watched run did not complete, 2 for bad usage and
missing or wrong credentials, 130 after Ctrl-C, which leaves the run alone.

Examples:
  $ yeeter runs start order-to-image --patients 500 --watch
  $ yeeter runs start --template-id 3 --patients 500 --capture-metrics results
  $ yeeter runs list --status RUNNING
  $ yeeter runs list --all
  $ yeeter runs watch 7 --output json
  $ yeeter runs watch 7 --tail all --output csv > run-7.csv
  $ yeeter runs stats 7 --format csv
  $ yeeter runs show 7 --events 50
  $ yeeter runs cancel 7
  $ yeeter runs delete 7`;

const MAX_ID = 2 ** 53 - 1;
const RUN_ID = 'number of the run, as "runs list" shows it';
const DEFAULT_TAIL = 20;
const EVERYTHING = Number.POSITIVE_INFINITY;

const runId = wholeNumber(1, MAX_ID);

function interval(text: string): number {
  const value = Number(text);
  if (!(value >= 0.5 && value <= 3600)) {
    throw new InvalidArgumentError('it is not a number of seconds from 0.5 to 3600.');
  }
  return value;
}

const tail = (text: string): number => (text === 'all' ? EVERYTHING : wholeNumber(0, 1000)(text));

const withInterval = (command: Command): Command =>
  command.option('--interval <seconds>', 'between two looks where no live events come', interval, 3);

export function addRunsCommand(program: Command): void {
  const runs = program.command('runs').description('start, watch and end runs on a server');
  addListCommand(runs);
  addStartCommand(runs);
  addWatchCommand(runs);
  const cancel = withFormat(withServer(runs.command('cancel')), OUTPUT_FORMATS)
    .description('end a run; what is under way is stopped')
    .argument('<run>', RUN_ID, runId)
    .action((id: number, flags) => cancelRun(id, { ...flags, ...serverFlags(cancel) }));
  const stats = withFormat(withServer(runs.command('stats')), OUTPUT_FORMATS)
    .description('events and durations of a run, by step')
    .argument('<run>', RUN_ID, runId)
    .action((id: number, flags) => runStats(id, { ...flags, ...serverFlags(stats) }));
  const show = withFormat(withServer(runs.command('show')), OUTPUT_FORMATS)
    .description('state, figures and newest events of a run')
    .argument('<run>', RUN_ID, runId)
    .option('--events <count>', 'newest events to show', wholeNumber(0, 2000), 10)
    .action((id: number, flags) => showRun(id, { ...flags, ...serverFlags(show) }));
  addDeleteCommand(runs);
  addExamples(runs, EXAMPLES);
}

function addListCommand(runs: Command): void {
  const list = withFormat(withServer(runs.command('list')), OUTPUT_FORMATS)
    .description('show your runs, newest first')
    .addOption(
      new Option('--status <status>', 'only those in this state').choices(RUN_STATUSES).argParser((text) => {
        const status = RUN_STATUSES.find((known) => known === text.toUpperCase());
        if (status === undefined) throw new InvalidArgumentError(`it is none of ${RUN_STATUSES.join(', ')}.`);
        return status;
      }),
    )
    .option('--all', "everybody's, and those that bench made, for administrators", false)
    .option('--limit <count>', 'so many at most', wholeNumber(1, 10_000))
    .action((flags) => listRuns({ ...flags, ...serverFlags(list) }));
}

function addStartCommand(runs: Command): void {
  const start = withInterval(withFormat(withServer(runs.command('start')), ['message', ...OUTPUT_FORMATS]))
    .description('start a run')
    .argument('[template]', 'id or name of the template')
    .option('--template-id <id>', 'the same, by its id', wholeNumber(1, MAX_ID))
    .option('-n, --patients <count>', 'patients to run it for', wholeNumber(1, 100_000_000), 1)
    .option('--seed <number>', 'same seed: same bytes', wholeNumber(0, MAX_ID))
    .option(
      '-c, --concurrency <count>',
      'patients at a time, each from its start to its end (default: one after the other, each until a queue has it)',
      wholeNumber(1, 4096),
    )
    .addOption(new Option('--on-failure <what>', 'when a patient fails').choices(ON_FAILURE))
    .option('--tag <text>', 'to find it by (may be repeated)', gather, [])
    .option('--watch', 'follow it to its end', false)
    .option('--capture-metrics [dir]', 'wait for its end and store its metrics there as JSON and CSV')
    .action(async (named: string | undefined, flags) => {
      const template = named ?? flags.templateId?.toString();
      if (template === undefined || (named !== undefined && flags.templateId !== undefined)) {
        start.error('error: say which template, either by its id or name or by --template-id', {
          exitCode: 2,
        });
      }
      const client = await openClient(serverFlags(start));
      const { captureMetrics: capture } = flags;
      const isFollowed = flags.watch || capture !== undefined;
      const id = await startRun(client, template, { ...flags, isFollowed });
      if (!isFollowed) return;
      const { watchRun } = await import('../remote/watch.ts');
      process.exitCode = await watchRun({
        client,
        runId: id,
        format: flags.format === 'message' ? 'table' : flags.format,
        showEvents: flags.watch,
        tail: EVERYTHING,
        intervalMs: flags.interval * 1000,
        captureDir: capture === undefined ? null : capture === true ? '.' : capture,
      });
    });
}

function addWatchCommand(runs: Command): void {
  const watch = withInterval(withFormat(withServer(runs.command('watch')), OUTPUT_FORMATS))
    .description('follow a run to its end: live events, or a look every few seconds where none come')
    .argument('<run>', RUN_ID, runId)
    .option('--tail <count>', 'events from before to begin with, or "all"', tail, DEFAULT_TAIL)
    .option('--no-follow', 'show where it is and return')
    .option('--capture-metrics [dir]', 'store its metrics there once it is over')
    .action(async (id: number, flags) => {
      const connection = serverFlags(watch);
      if (!flags.follow) return showRun(id, { ...connection, format: flags.format, events: DEFAULT_TAIL });
      const { captureMetrics: capture } = flags;
      const { watchRun } = await import('../remote/watch.ts');
      process.exitCode = await watchRun({
        client: await openClient(connection),
        runId: id,
        format: flags.format,
        showEvents: true,
        tail: flags.tail,
        intervalMs: flags.interval * 1000,
        captureDir: capture === undefined ? null : capture === true ? '.' : capture,
      });
    });
}

function addDeleteCommand(runs: Command): void {
  const remove = withServer(runs.command('delete'))
    .description('delete a run and its metrics; one that is under way is cancelled first')
    .argument('[run]', RUN_ID, runId)
    .option('--all', 'all your runs', false)
    .option('--yes', 'with --all: it is meant', false)
    .action((id: number | undefined, flags: { all: boolean; yes: boolean }) => {
      if ((id === undefined) !== flags.all) {
        remove.error('error: say either the number of a run or --all', { exitCode: 2 });
      }
      const connection = serverFlags(remove);
      return id === undefined ? deleteAllRuns({ ...flags, ...connection }) : deleteRun(id, connection);
    });
}
