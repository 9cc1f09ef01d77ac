/**
 * The queue on RabbitMQ against a bare publish-consume-acknowledge on the same client, side by side.
 *
 *   node perf/queue.ts [--jobs 10000] [--repetitions 5] [--prefetch 1,32,256] [--url amqp://...] [--recovery] [--json]
 *
 * Both publish the same bytes to queues with the same arguments, confirmed, 256 in flight, and consume with the same
 * prefetch while they publish. The bare one sends a constant and looks at nothing; ours encodes and decodes each
 * job, watches for returned messages, and keeps each delivery's end apart. The two take turns within a repetition;
 * a ratio is that of one turn. Without `--url` a private broker is started. `--recovery` then stops and kills it,
 * as often as there are repetitions, and says how long after the start of its process the broker listens, and the first
 * confirm and the first delivery come.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { Connection } from 'rabbitmq-client';
import type { Job } from '../src/domain/job.ts';
import { encodeJob } from '../src/domain/job-schema.ts';
import { systemClock } from '../src/lib/clock.ts';
import { delay } from '../src/lib/lifecycle.ts';
import { createRabbitQueue, type RabbitQueue } from '../src/queue/rabbitmq/rabbit-queue.ts';
import { DEFAULT_MAX_LENGTH, deadLetterDeclaration, workDeclaration } from '../src/queue/topology.ts';
import { testJob } from '../test/support/job.ts';
import { type PrivateRabbitmq, startPrivateRabbitmq } from '../test/support/rabbitmq.ts';
import { spread } from './support/spread.ts';

const IN_FLIGHT = 256;
const LOOK_AGAIN_MS = 5;

interface Load {
  jobs: number;
  prefetch: number;
}

interface Outcome {
  perSecond: number;
  cpuUs: number;
  confirmP50Ms: number;
  confirmP99Ms: number;
}

/** Publishes all, `IN_FLIGHT` at a time, and waits until `consumed` resolves. */
async function pump(
  jobs: number,
  publish: (n: number) => Promise<void>,
  consumed: Promise<void>,
): Promise<Outcome> {
  const confirmsMs: number[] = [];
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  let next = 0;
  const publisher = async (): Promise<void> => {
    while (next < jobs) {
      const n = ++next;
      const sentAt = performance.now();
      await publish(n);
      confirmsMs.push(performance.now() - sentAt);
    }
  };
  await Promise.all([consumed, ...Array.from({ length: IN_FLIGHT }, publisher)]);
  const elapsedMs = performance.now() - startedAt;
  const used = process.cpuUsage(cpu);
  confirmsMs.sort((a, b) => a - b);
  return {
    perSecond: (jobs / elapsedMs) * 1000,
    cpuUs: (used.user + used.system) / jobs,
    confirmP50Ms: confirmsMs[Math.floor(jobs * 0.5)]!,
    confirmP99Ms: confirmsMs[Math.floor(jobs * 0.99)]!,
  };
}

async function bare(connection: Connection, { jobs, prefetch }: Load): Promise<Outcome> {
  const name = 'bare';
  const body = Buffer.from(encodeJob(testJob({ queue: name })));
  const publishing = await connection.acquire();
  const consuming = await connection.acquire();
  await publishing.queueDeclare({ ...deadLetterDeclaration(name) });
  await publishing.queueDeclare({ ...workDeclaration(name, DEFAULT_MAX_LENGTH) });
  await publishing.confirmSelect();
  await consuming.basicQos({ prefetchCount: prefetch });
  const all = Promise.withResolvers<void>();
  let consumed = 0;
  let acknowledged = 0;
  let last = 0;
  const acknowledge = (): void => {
    consuming.basicAck({ deliveryTag: last, multiple: true });
    acknowledged = consumed;
    if (consumed === jobs) all.resolve();
  };
  await consuming.basicConsume({ queue: name }, ({ deliveryTag }) => {
    last = deliveryTag;
    if (consumed++ === acknowledged) setImmediate(acknowledge);
  });
  const envelope = {
    routingKey: name,
    mandatory: true,
    durable: true,
    contentType: 'application/json',
    contentEncoding: 'utf-8',
  };
  const outcome = await pump(jobs, () => publishing.basicPublish(envelope, body), all.promise);
  await Promise.all([publishing.close(), consuming.close()]);
  return outcome;
}

async function ours(queue: RabbitQueue, { jobs, prefetch }: Load): Promise<Outcome> {
  const template: Job = testJob({ queue: 'ours' });
  await queue.declare(['ours']);
  const all = Promise.withResolvers<void>();
  let consumed = 0;
  const consumer = queue.consume('ours', { prefetch }, async ({ ack }) => {
    await ack();
    if (++consumed === jobs) all.resolve();
  });
  const publish = (n: number): Promise<void> => queue.publish({ ...template, iteration: n });
  const outcome = await pump(jobs, publish, all.promise);
  await consumer.close();
  return outcome;
}

interface Turn {
  bare: Outcome;
  ours: Outcome;
}

async function compare(url: string, jobs: number, repetitions: number, prefetches: readonly number[]) {
  const connection = new Connection(url);
  await using queue = await createRabbitQueue({ url, deploymentId: 'test', clock: systemClock });
  const results = prefetches.map((prefetch) => ({ prefetch, turns: [] as Turn[] }));
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    for (const { prefetch, turns } of results) {
      // One at a time is slow: fewer say as much.
      const load = { prefetch, jobs: prefetch === 1 ? Math.ceil(jobs / 10) : jobs };
      const turn = { bare: await bare(connection, load), ours: await ours(queue, load) };
      // The first round compiles the code and is not counted.
      if (repetition > 0) turns.push(turn);
    }
  }
  await connection.close();
  return results;
}

interface Recovery {
  /** All of them milliseconds since the broker's process was started. */
  listensMs: number;
  confirmMs: number;
  deliveryMs: number;
}

async function untilListening(url: string): Promise<void> {
  const { hostname: host, port } = new URL(url);
  for (;;) {
    const socket = connect({ host, port: Number(port) });
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isThere) return;
    await delay(LOOK_AGAIN_MS);
  }
}

/** A job is published while the broker is away. */
async function recover(broker: PrivateRabbitmq, signal: NodeJS.Signals): Promise<Recovery> {
  const options = { url: broker.url, deploymentId: 'test', clock: systemClock, publishPatienceMs: 120_000 };
  await using queue = await createRabbitQueue(options);
  await queue.declare(['recovery']);
  let delivered = Promise.withResolvers<void>();
  await using _consumer = queue.consume('recovery', { prefetch: 1 }, async ({ ack }) => {
    await ack();
    delivered.resolve();
  });
  await queue.publish(testJob({ queue: 'recovery' }));
  await delivered.promise;
  await broker.stop(signal);
  delivered = Promise.withResolvers<void>();
  const published = queue.publish(testJob({ queue: 'recovery' }));
  const startedAt = performance.now();
  const since = (event: Promise<unknown>): Promise<number> => event.then(() => performance.now() - startedAt);
  const [, listensMs, confirmMs, deliveryMs] = await Promise.all([
    broker.start(),
    since(untilListening(broker.url)),
    since(published),
    since(delivered.promise),
  ]);
  return { listensMs, confirmMs, deliveryMs };
}

async function recoveries(broker: PrivateRabbitmq, times: number) {
  const rows = [];
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const turns: Recovery[] = [];
    for (let n = 0; n < times; n++) turns.push(await recover(broker, signal));
    const of = (name: keyof Recovery): string =>
      spread(
        turns.map((turn) => turn[name]),
        0,
      );
    rows.push({
      signal,
      'listens, ms': of('listensMs'),
      'confirm, ms': of('confirmMs'),
      'delivery, ms': of('deliveryMs'),
    });
  }
  return rows;
}

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '10000' },
    repetitions: { type: 'string', default: '5' },
    prefetch: { type: 'string', default: '1,32,256' },
    url: { type: 'string' },
    recovery: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const broker = values.url === undefined ? await startPrivateRabbitmq({ management: false }) : null;
const results = await compare(
  values.url ?? broker!.url,
  Number(values.jobs),
  Number(values.repetitions),
  values.prefetch.split(',').map(Number),
);
const recovered = broker && values.recovery ? await recoveries(broker, Number(values.repetitions)) : [];
await broker?.close();
if (values.json) console.log(JSON.stringify({ results, recovered }));
else {
  console.table(
    results.flatMap(({ prefetch, turns }) =>
      (['bare', 'ours'] as const).map((name) => ({
        prefetch,
        client: name,
        'jobs/s': spread(
          turns.map((turn) => turn[name].perSecond),
          0,
        ),
        'ratio to bare': spread(
          turns.map((turn) => turn[name].perSecond / turn.bare.perSecond),
          2,
        ),
        'CPU us/job': spread(
          turns.map((turn) => turn[name].cpuUs),
          0,
        ),
        'confirm p50 ms': spread(
          turns.map((turn) => turn[name].confirmP50Ms),
          1,
        ),
        'confirm p99 ms': spread(
          turns.map((turn) => turn[name].confirmP99Ms),
          1,
        ),
      })),
    ),
  );
  if (recovered.length > 0) console.table(recovered);
}
