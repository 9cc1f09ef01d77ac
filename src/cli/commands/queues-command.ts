import type { Command } from 'commander';
import { YeeterError } from '../../lib/errors.ts';
import type { QueueCommandOptions } from '../queues.ts';
import { configOf, type DurableFlags, withDurableUrls } from './durable-options.ts';
import { addExamples, wholeNumber } from './options.ts';

const EXAMPLES = `
Examples:
  $ yeeter queues list
  $ yeeter queues inspect yeeter.simulation.orders
  $ yeeter queues requeue yeeter.simulation.orders --all
  $ yeeter queues requeue yeeter.simulation.orders --job 5b0c1e9e-7a39-8d0b-9d1e-0c7f4c8f6a11
  $ yeeter queues purge yeeter.simulation.orders --dead --count 12
  $ yeeter queues pause yeeter.simulation.orders
  $ yeeter queues resume yeeter.simulation.orders
  $ yeeter queues drain yeeter.simulation.orders --no-wait`;

/** Loaded when it is needed: other commands start without drivers of brokers and databases. */
const load = (): Promise<typeof import('../queues.ts')> => import('../queues.ts');

const optionsOf = (flags: DurableFlags): QueueCommandOptions => ({ config: configOf(flags) });

export function addQueuesCommand(program: Command): void {
  const queues = program.command('queues').description('look at and maintain the queues on RabbitMQ');
  const sub = (name: string, description: string): Command =>
    withDurableUrls(queues.command(name)).description(description);

  sub('list', 'depth, consumers, rates and dead letters of every queue that runs use')
    .option('--json', 'for programs', false)
    .action(async (flags: DurableFlags & { json: boolean }) =>
      (await load()).listQueues({ ...optionsOf(flags), json: flags.json }),
    );
  sub('inspect', 'dead jobs of a queue, from the ledger: why, when, how often')
    .argument('<queue>')
    .option('--limit <count>', 'newest first', wholeNumber(1, 10_000), 50)
    .option('--json', 'for programs', false)
    .action(async (queue: string, flags: DurableFlags & { limit: number; json: boolean }) =>
      (await load()).inspectQueue(queue, { ...optionsOf(flags), limit: flags.limit, json: flags.json }),
    );
  sub('requeue', 'give dead jobs another life, in their own queue')
    .argument('<queue>')
    .option('--all', 'all of them', false)
    .option('--job <id>', 'one job (may be repeated)', (id: string, ids: string[] = []) => [...ids, id])
    .action(async (queue: string, flags: DurableFlags & { all: boolean; job?: string[] }) => {
      if (flags.all === (flags.job !== undefined)) {
        throw new YeeterError('USAGE', 'say either --all or --job ID');
      }
      await (await load()).requeueDead(queue, flags.job ?? 'all', optionsOf(flags));
    });
  sub('purge', 'take jobs away for good; asks for their number')
    .argument('<queue>')
    .option('--dead', 'the dead letters instead of the waiting jobs', false)
    .option(
      '--count <number>',
      'the number that "queues list" shows, to say that it is meant',
      wholeNumber(0, 2 ** 53 - 1),
    )
    .action(async (queue: string, flags: DurableFlags & { dead: boolean; count?: number }) =>
      (await load()).purgeQueue(queue, { ...optionsOf(flags), dead: flags.dead, count: flags.count ?? null }),
    );
  sub('pause', 'workers leave the queue alone; publishing goes on')
    .argument('<queue>')
    .action(async (queue: string, flags: DurableFlags) =>
      (await load()).setMode(queue, 'paused', optionsOf(flags)),
    );
  sub('resume', 'workers take the queue up again')
    .argument('<queue>')
    .action(async (queue: string, flags: DurableFlags) =>
      (await load()).setMode(queue, 'open', optionsOf(flags)),
    );
  sub('drain', 'runs start nothing new for the queue; waits until what is there is done')
    .argument('<queue>')
    .option('--no-wait', 'return at once')
    .action(async (queue: string, flags: DurableFlags & { wait: boolean }) =>
      (await load()).drainQueue(queue, { ...optionsOf(flags), wait: flags.wait }),
    );
  addExamples(queues, EXAMPLES);
}
