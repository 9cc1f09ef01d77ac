import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { YeeterError } from '../../src/lib/errors.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import type { QueueNotice } from '../../src/queue/rabbitmq/broker-connection.ts';
import type { RabbitQueue, RabbitQueueOptions } from '../../src/queue/rabbitmq/rabbit-queue.ts';
import { testJob } from '../support/job.ts';
import { handled, newQueueName, openRabbitQueue } from '../support/rabbit-queue.ts';
import type { PrivateRabbitmq } from '../support/rabbitmq.ts';
import { startPrivateRabbitmq, without } from '../support/services.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const JOBS = 3000;

describe('a queue on RabbitMQ whose broker or connection goes away', {
  skip: without('rabbitmq-server'),
}, () => {
  let broker: PrivateRabbitmq;

  before(async () => {
    broker = await startPrivateRabbitmq({ management: false });
  });
  after(() => broker?.close());

  const open = (options: Partial<RabbitQueueOptions> = {}): Promise<RabbitQueue> =>
    openRabbitQueue(broker, options);

  /** Publishes and consumes `JOBS` jobs, each over two queues, and breaks something once a third is through. */
  async function carryThrough(queue: RabbitQueue, breakSomething: () => Promise<void>): Promise<void> {
    const [first, second] = [newQueueName(), newQueueName()];
    await queue.declare([first, second]);
    const confirmed = new Set<number>();
    const handled = new Map<number, number>();
    const all = Promise.withResolvers<void>();
    const third = Promise.withResolvers<void>();
    const handOn = queue.consume(first, { prefetch: 64 }, async ({ job, ack, retry }) => {
      if (job.iteration % 10 === 0 && job.attempt === 1) return retry({ ...job, attempt: 2 }, 50);
      await queue.publish({ ...job, queue: second });
      return ack();
    });
    const finish = queue.consume(second, { prefetch: 64 }, async ({ job, ack }) => {
      await ack();
      handled.set(job.iteration, (handled.get(job.iteration) ?? 0) + 1);
      if (handled.size === JOBS / 3) third.resolve();
      if (handled.size === JOBS) all.resolve();
    });
    const publishing = publishJobs(queue, first, confirmed);
    await third.promise;
    assert.ok(confirmed.size < JOBS, 'jobs are still being published');
    await breakSomething();
    await publishing;
    await all.promise;
    assert.equal(confirmed.size, JOBS);
    for (const iteration of confirmed) assert.ok(handled.has(iteration), `job ${iteration} was handled`);
    await Promise.all([handOn.close(), finish.close()]);
    const [depth] = await queue.depth([second]);
    assert.equal(depth!.dead, 0);
  }

  async function publishJobs(queue: RabbitQueue, name: string, confirmed: Set<number>): Promise<void> {
    const job = testJob({ queue: name });
    let next = 0;
    const publisher = async (): Promise<void> => {
      while (next < JOBS) {
        const iteration = ++next;
        await queue.publish({ ...job, iteration, jobId: `job-${iteration}` });
        confirmed.add(iteration);
      }
    };
    await Promise.all(Array.from({ length: 32 }, publisher));
  }

  it('loses no job when the broker is stopped and started in the middle', async () => {
    await using queue = await open({ publishPatienceMs: 60_000 });
    await carryThrough(queue, async () => {
      await broker.stop('SIGTERM');
      await broker.start();
    });
  });

  it('loses no job when the broker is killed and started in the middle', async () => {
    await using queue = await open({ publishPatienceMs: 60_000 });
    await carryThrough(queue, async () => {
      await broker.stop('SIGKILL');
      await broker.start();
    });
  });

  it('loses no job when its connections are cut again and again', async () => {
    await using proxy = await startTcpProxy(broker.port);
    const notices: QueueNotice[] = [];
    await using queue = await open({
      url: `amqp://127.0.0.1:${proxy.port}`,
      onNotice: (notice) => notices.push(notice),
    });
    await carryThrough(queue, async () => {
      for (let cuts = 0; cuts < 3; cuts++) {
        proxy.cut();
        await delay(300);
      }
    });
    assert.ok(proxy.connections > 2);
    assert.ok(notices.some(({ kind }) => kind === 'connection_lost'));
  });

  it('says in its own words that a broker has been away for long', async () => {
    const proxy = await startTcpProxy(broker.port);
    const name = newQueueName();
    const notices: QueueNotice[] = [];
    await using queue = await open({
      url: `amqp://127.0.0.1:${proxy.port}`,
      onNotice: (notice) => notices.push(notice),
    });
    await queue.declare([name]);
    await using _consumer = queue.consume(name, { prefetch: 1 }, async ({ ack }) => ack());
    await proxy.close();
    await until(() => notices.some(({ kind }) => kind === 'connection_lost'));
    // The other connection is lost in the same moment, and not told of.
    await delay(200);
    assert.equal(notices.filter(({ kind }) => kind === 'connection_lost').length, 1);
    const away = /there has been no connection to the broker for 20 s: see whether it is up$/;
    await assert.rejects(queue.depth([name]), { code: 'QUEUE_UNREACHABLE', message: away });
    await until(() => notices.some(({ kind, message }) => kind === 'consumer_lost' && away.test(message)));
    for (const { message } of notices) assert.doesNotMatch(message, /channel aq/);
  });

  it('ends a delivery of a lost connection without effect, and delivers the job again', async () => {
    await using proxy = await startTcpProxy(broker.port);
    const name = newQueueName();
    await using queue = await open({ url: `amqp://127.0.0.1:${proxy.port}` });
    await queue.declare([name]);
    await queue.publish(testJob({ queue: name }));
    const counts: number[] = [];
    const again = Promise.withResolvers<void>();
    await using _consumer = queue.consume(
      name,
      { prefetch: 1 },
      async ({ job, deliveryCount, ack, retry }) => {
        counts.push(deliveryCount);
        if (counts.length > 1) {
          await ack();
          again.resolve();
          return;
        }
        proxy.cut();
        await delay(50);
        await retry({ ...job, attempt: 2 }, 0);
      },
    );
    await again.promise;
    assert.deepEqual(counts, [0, 1]);
  });

  it('says that a publish got no confirm when the broker stays away for longer than its patience', async () => {
    await using proxy = await startTcpProxy(broker.port);
    await using queue = await open({ url: `amqp://127.0.0.1:${proxy.port}`, publishPatienceMs: 300 });
    await proxy.close();
    await assert.rejects(
      queue.publish(testJob({ queue: newQueueName() })),
      (error) =>
        error instanceof YeeterError &&
        error.code === 'QUEUE_PUBLISH_FAILED' &&
        /no confirm/.test(error.message),
    );
  });

  it('closes although the broker hangs, and leaves the job in hand to the next', async () => {
    await using proxy = await startTcpProxy(broker.port);
    const name = newQueueName();
    const queue = await open({ url: `amqp://127.0.0.1:${proxy.port}`, publishPatienceMs: 300 });
    await queue.declare([name]);
    await queue.publish(testJob({ queue: name }));
    const begun = Promise.withResolvers<void>();
    queue.consume(name, { prefetch: 1 }, async ({ ack }) => {
      begun.resolve();
      await delay(100);
      await ack();
    });
    await begun.promise;
    proxy.stall();
    await assert.rejects(queue.publish(testJob({ queue: name, iteration: 2 })), {
      code: 'QUEUE_PUBLISH_FAILED',
    });
    await queue.close();
    proxy.cut();
    await using next = await open();
    const [job] = await handled(next, name, 1);
    assert.equal(job!.iteration, 1);
  });
});
