import { type Command, Option } from 'commander';
import { ON_FAILURE } from '../../domain/template.ts';
import { parseDicomAddress, parseHostPort } from '../address.ts';
import { configOf } from './durable-options.ts';
import { gather, isoTime, settingBy, uidRoot, wholeNumber } from './options.ts';

const EXAMPLES = `
Without --mllp and --dicom the built-in sinks receive, in a process of their own.
Exit code: 0 when every patient completed, 1 when some failed or the run was stopped, 2 for bad usage.

Examples:
  $ yeeter bench --patients 1000
  $ yeeter bench order-to-image --seed 7 --namespace 0 --out first
  $ yeeter bench examples/templates/orders-only.yaml --mllp 127.0.0.1:2575 --concurrency 64
  $ yeeter bench mixed-modalities --dicom ORTHANC@127.0.0.1:4242
  $ yeeter bench --queue-url amqp://127.0.0.1 --database-url postgres://yeeter@127.0.0.1/yeeter --workers 2
  $ yeeter bench --burst --patients 10000 --workers 4    (with RABBITMQ_URL and DATABASE_URL set)`;

/** Identifiers have eight digits. */
const MAX_PATIENTS = 100_000_000;

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('run a template for synthetic patients and measure every step')
    .argument('[template]', 'YAML or JSON file, or the name of a built-in template', 'order-to-image')
    .option('-n, --patients <count>', 'patients to run it for', wholeNumber(1, MAX_PATIENTS), 500)
    .option('--seed <number>', 'same seed, namespace and clock: same bytes', wholeNumber(0, 2 ** 53 - 1))
    .option(
      '--namespace <number>',
      'block of identifiers to begin with; 0 with --seed, else a fresh one',
      wholeNumber(0, 9999),
    )
    .option('--clock <time>', 'start of the virtual clock, ISO 8601', isoTime)
    .option('--uid-root <root>', 'root of generated UIDs, instead of 2.25', uidRoot)
    .option(
      '-c, --concurrency <count>',
      'patients at a time, each from its start to its end',
      wholeNumber(1, 4096),
      16,
    )
    .option(
      '--burst',
      'over RabbitMQ: start patients as fast as queues take their jobs, which pile up there',
      false,
    )
    .addOption(
      new Option('--on-failure <what>', 'when a patient fails').choices(ON_FAILURE).default('continue'),
    )
    .option('--mllp <host:port>', 'send messages there instead of where the template says', (text) =>
      parseHostPort(text, '--mllp'),
    )
    .option('--dicom <aet@host:port>', 'store studies there instead of where the template says', (text) =>
      parseDicomAddress(text, '--dicom'),
    )
    .option(
      '--confirm <name>',
      'AE title or host of an endpoint off this machine (may be repeated)',
      gather,
      [],
    )
    .option('--out <dir>', 'folder of the files (default: a new one, yeeter-out/run-<number>)')
    .option('--data <dir>', 'folder of the ledger', '.yeeter')
    .option(
      '--queue-url <url>',
      'RabbitMQ, with --database-url (environment: RABBITMQ_URL)',
      settingBy('--queue-url', 'RABBITMQ_URL'),
    )
    .option(
      '--database-url <url>',
      'PostgreSQL, with --queue-url (environment: DATABASE_URL)',
      settingBy('--database-url', 'DATABASE_URL'),
    )
    .option('--workers <count>', 'worker processes over RabbitMQ', wholeNumber(0, 64), 2)
    .option('--resume <run>', 'go on with an interrupted run of the data folder', wholeNumber(1, 2 ** 53 - 1))
    .option('--json', 'print run.json instead of the summary', false)
    .option('--quiet', 'print nothing but faults', false)
    .addHelpText('after', EXAMPLES)
    .action(async (templateFile: string, flags) => {
      const { bench } = await import('../bench.ts');
      process.exitCode = await bench({
        templateFile,
        resume: flags.resume ?? null,
        patients: flags.patients,
        seed: flags.seed ?? null,
        namespace: flags.namespace ?? null,
        clockStartMs: flags.clock ?? null,
        uidRoot: flags.uidRoot ?? null,
        concurrency: flags.concurrency,
        burst: flags.burst,
        onFailure: flags.onFailure,
        mllp: flags.mllp ?? null,
        dicom: flags.dicom ?? null,
        outDir: flags.out ?? null,
        dataDir: flags.data,
        config: configOf(flags),
        workers: flags.workers,
        confirm: flags.confirm,
        json: flags.json,
        quiet: flags.quiet,
      });
    });
}
