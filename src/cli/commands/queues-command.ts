import { type Command, InvalidArgumentError } from 'commander';
import { YeeterError } from '../../lib/errors.ts';
import type { QueueDesk } from '../queue-desk.ts';
import { OUTPUT_FORMATS, type OutputFormat } from '../remote/output.ts';
import { openClient } from '../remote/session.ts';
import { configOf, type DurableFlags, withDurableUrls } from './durable-options.ts';
import { addExamples, wholeNumber } from './options.ts';
import { serverFlags, withFormat, withServer } from './server-options.ts';

const EXAMPLES = `
They work on RabbitMQ and PostgreSQL, or through a server with --api-url.

Examples:
  $ yeeter queues list
  $ yeeter queues list --api-url http://127.0.0.1:5001
  $ yeeter queues inspect yeeter.simulation.orders
  $ yeeter queues inspect yeeter.simulation.orders --limit 1000 --format csv > dead.csv
  $ yeeter queues requeue yeeter.simulation.orders --all
  $ yeeter queues requeue yeeter.simulation.orders --job 5b0c1e9e-7a39-8d0b-9d1e-0c7f4c8f6a11
  $ yeeter queues purge yeeter.simulation.orders --dead --count 12
  $ yeeter queues pause yeeter.simulation.orders
  $ yeeter queues resume yeeter.simulation.orders
  $ yeeter queues drain yeeter.simulation.orders --no-wait`;

const RATES = `
change/s is by how much the jobs there grew or shrank in the second in which it looks. published/s and acked/s are those
of RabbitMQ's management API over the last 5 s, retries and hops included: "-" where RABBITMQ_MANAGEMENT_URL is not set,
for this command or for the server that it asks, and for a queue that the broker does not have yet.`;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function jobId(text: string): string {
  const id = text.toLowerCase();
  if (!UUID.test(id))
    throw new InvalidArgumentError('it is not the id of a job, as "queues inspect" shows it.');
  return id;
}

type Actions = typeof import('../queues.ts');

/**
 * A server when one is named, else the broker of the URLs, else the server of the environment. What talks to brokers
 * and databases is loaded when it is needed, so that other commands start without it.
 */
async function openDesk(command: Command, flags: DurableFlags): Promise<QueueDesk> {
  const connection = serverFlags(command);
  const config = configOf(flags);
  const hasUrls = config.rabbitmqUrl !== null || config.databaseUrl !== null;
  if (connection.apiUrl !== undefined || (!hasUrls && config.apiUrl !== null)) {
    const { createServerQueueDesk } = await import('../remote/server-queue-desk.ts');
    return createServerQueueDesk(await openClient(connection));
  }
  const { openBrokerDesk } = await import('../queue-desk.ts');
  return openBrokerDesk(config);
}

async function at(
  command: Command,
  flags: DurableFlags,
  act: (actions: Actions, desk: QueueDesk) => Promise<void>,
): Promise<void> {
  await using desk = await openDesk(command, flags);
  await act(await import('../queues.ts'), desk);
}

export function addQueuesCommand(program: Command): void {
  const queues = program.command('queues').description('look at and maintain the queues of runs');
  const sub = (name: string, description: string): Command =>
    withServer(withDurableUrls(queues.command(name))).description(description);

  const list = withFormat(
    sub('list', 'depth, consumers, rates and dead letters of every queue that runs use'),
    OUTPUT_FORMATS,
  )
    .addHelpText('after', RATES)
    .action((flags: DurableFlags & { format: OutputFormat }) =>
      at(list, flags, ({ listQueues }, desk) => listQueues(desk, flags)),
    );
  const inspect = withFormat(
    sub('inspect', 'dead jobs of a queue, and what was set aside: why, when, how often'),
    OUTPUT_FORMATS,
  )
    .argument('<queue>')
    .option('--limit <count>', 'newest first', wholeNumber(1, 10_000), 50)
    .action((queue: string, flags: DurableFlags & { limit: number; format: OutputFormat }) =>
      at(inspect, flags, ({ inspectQueue }, desk) => inspectQueue(desk, queue, flags)),
    );
  const requeue = sub('requeue', 'give dead jobs another life, in their own queue')
    .argument('<queue>')
    .option('--all', 'all of them', false)
    .option('--job <id>', 'one job (may be repeated)', (id: string, ids: string[] = []) => [
      ...ids,
      jobId(id),
    ])
    .action((queue: string, flags: DurableFlags & { all: boolean; job?: string[] }) => {
      if (flags.all === (flags.job !== undefined)) {
        throw new YeeterError('USAGE', 'say either --all or --job ID');
      }
      return at(requeue, flags, ({ requeueDead }, desk) => requeueDead(desk, queue, flags.job ?? 'all'));
    });
  const purge = sub('purge', 'take jobs away for good; asks for their number')
    .argument('<queue>')
    .option('--dead', 'the dead letters instead of the waiting jobs', false)
    .option(
      '--count <number>',
      'the number that "queues list" shows, to say that it is meant',
      wholeNumber(0, 2 ** 53 - 1),
    )
    .action((queue: string, flags: DurableFlags & { dead: boolean; count?: number }) =>
      at(purge, flags, ({ purgeQueue }, desk) =>
        purgeQueue(desk, queue, { dead: flags.dead, count: flags.count ?? null }),
      ),
    );
  const pause = sub('pause', 'workers leave the queue alone; publishing goes on')
    .argument('<queue>')
    .action((queue: string, flags: DurableFlags) =>
      at(pause, flags, ({ setMode }, desk) => setMode(desk, queue, 'paused')),
    );
  const resume = sub('resume', 'workers take the queue up again')
    .argument('<queue>')
    .action((queue: string, flags: DurableFlags) =>
      at(resume, flags, ({ setMode }, desk) => setMode(desk, queue, 'open')),
    );
  const drain = sub('drain', 'runs start nothing new for the queue; waits until what is there is done')
    .argument('<queue>')
    .option('--no-wait', 'return at once')
    .action((queue: string, flags: DurableFlags & { wait: boolean }) =>
      at(drain, flags, ({ drainQueue }, desk) => drainQueue(desk, queue, flags)),
    );
  addExamples(queues, EXAMPLES);
}
