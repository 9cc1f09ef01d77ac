import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_MAX_ASSOCIATIONS } from '../../domain/target-guard.ts';
import { parseTarget, type TargetAddress } from '../address.ts';
import { addTarget, listTargets, removeTarget } from '../targets.ts';
import { addExamples, wholeNumber } from './options.ts';

const EXAMPLES = `
Load against the wrong system hurts patients: what is not on this machine is refused until somebody registers it
here as a test system and answers for it.

Examples:
  $ yeeter targets add PACSTEST@pacs-test.example.org:104 --owner "J. Smith" --expires 2026-12-31
  $ yeeter targets add ris-test.example.org:2575 --owner "J. Smith" --max-rate 50
  $ yeeter targets list
  $ yeeter targets remove ris-test.example.org:2575`;

const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;

function expiry(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('it is not a date, for example 2026-12-31.');
  return ms;
}

export function addTargetsCommand(program: Command): void {
  const targets = program
    .command('targets')
    .description('register the test systems that load may be sent to');
  targets
    .command('add')
    .description('register a test system, or renew its registration')
    .argument('<address>', 'AET@HOST:PORT or HOST:PORT', parseTarget)
    .requiredOption('--owner <name>', 'who says that it is a test system')
    .option('--expires <date>', `until when (default: ${DEFAULT_DAYS} days from now)`, expiry)
    .option(
      '--max-associations <count>',
      'connections at a time',
      wholeNumber(1, 4096),
      DEFAULT_MAX_ASSOCIATIONS,
    )
    .option('--max-rate <per-second>', 'messages and instances a second', wholeNumber(1, 1_000_000))
    .option('--max-bytes <bytes>', 'a run stops itself after so many', wholeNumber(1, 2 ** 53 - 1))
    .option('--data <dir>', 'folder of the ledger', '.yeeter')
    .action((target: TargetAddress, flags) =>
      addTarget(flags.data, {
        ...target,
        owner: flags.owner,
        expiresAtMs: flags.expires ?? Date.now() + DEFAULT_DAYS * DAY_MS,
        maxAssociations: flags.maxAssociations,
        maxMessagesPerSecond: flags.maxRate ?? null,
        maxBytes: flags.maxBytes ?? null,
      }),
    );
  targets
    .command('list')
    .description('show the registered test systems')
    .option('--data <dir>', 'folder of the ledger', '.yeeter')
    .action((flags: { data: string }) => listTargets(flags.data));
  targets
    .command('remove')
    .description('take a registration back')
    .argument('<address>', 'AET@HOST:PORT or HOST:PORT', parseTarget)
    .option('--data <dir>', 'folder of the ledger', '.yeeter')
    .action((target: TargetAddress, flags: { data: string }) => removeTarget(flags.data, target));
  addExamples(targets, EXAMPLES);
}
