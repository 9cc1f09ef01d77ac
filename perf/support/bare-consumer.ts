/**
 * A consumer of the bare pipeline, in a process of its own: `node bare-consumer.ts JSON`, a `BareConsumerOptions`.
 * Says over its channel that it is ready, then how many jobs each acknowledgement ended.
 */
import { randomInt } from 'node:crypto';
import pg from 'pg';
import { Connection } from 'rabbitmq-client';
import { jobIdOf } from '../../src/domain/job-id.ts';
import { BARE_ATTEMPTS, type BareConsumerOptions, type BareConsumerSays } from './bare-pipeline.ts';

/** Jobs of one insert. */
const MAX_BATCH = 250;
/** A job waits no longer than this for company, milliseconds. */
const MAX_DELAY_MS = 5;

const { databaseUrl, queueUrl, queue, prefetch, hurries } = JSON.parse(
  process.argv[2]!,
) as BareConsumerOptions;
const enough = hurries ? Math.min(MAX_BATCH, prefetch) : MAX_BATCH;
const say = (message: BareConsumerSays): void => void process.send!(message);
const database = new pg.Client({ connectionString: databaseUrl });
await database.connect();
const connection = new Connection({ url: queueUrl, noDelay: true });
const channel = await connection.acquire();

/** What no other consumer's ids begin with; they ascend, like those of a run. */
const runId = randomInt(2 ** 32);
let numbered = 0;
const nextId = (): string => jobIdOf({ deploymentId: 'bare', runId, iteration: ++numbered, segment: 1 });

/** Delivery tags, in their order. */
let waiting: number[] = [];
let timer: NodeJS.Timeout | null = null;
let inserting = false;

const insert = async (): Promise<void> => {
  if (timer) clearTimeout(timer);
  timer = null;
  if (inserting || waiting.length === 0) return;
  inserting = true;
  const tags = waiting.slice(0, MAX_BATCH);
  waiting = waiting.slice(MAX_BATCH);
  const jobIds = tags.map(nextId);
  await database.query({ name: 'attempts', text: BARE_ATTEMPTS, values: [`{${jobIds.join(',')}}`] });
  channel.basicAck({ deliveryTag: tags.at(-1)!, multiple: true });
  say({ ended: tags.length });
  inserting = false;
  if (waiting.length > 0) void insert();
};

await channel.basicQos({ prefetchCount: prefetch });
await channel.basicConsume({ queue }, ({ deliveryTag }) => {
  waiting.push(deliveryTag);
  if (inserting) return;
  if (waiting.length >= enough) void insert();
  else timer ??= setTimeout(insert, MAX_DELAY_MS);
});
say('ready');
process.once('disconnect', () => {
  void channel.close().then(() => Promise.all([connection.close(), database.end()]));
});
