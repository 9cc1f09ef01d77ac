import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Connection } from 'rabbitmq-client';
import type { Job } from '../../src/domain/job.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import type { QueueNotice } from '../../src/queue/rabbitmq/broker-connection.ts';
import type { RabbitQueue, RabbitQueueOptions } from '../../src/queue/rabbitmq/rabbit-queue.ts';
import { testJob } from '../support/job.ts';
import { handled, newQueueName, openRabbitQueue } from '../support/rabbit-queue.ts';
import type { PrivateRabbitmq } from '../support/rabbitmq.ts';
import { startPrivateRabbitmq, without } from '../support/services.ts';

describe('what a queue on RabbitMQ delivers, when it is no job, not ended, or one too many', {
  skip: without('rabbitmq-server'),
}, () => {
  let broker: PrivateRabbitmq;
  let raw: Connection;

  before(async () => {
    broker = await startPrivateRabbitmq({ management: false });
    raw = new Connection({ url: broker.url, retryLow: 100, retryHigh: 1000 });
    raw.on('error', () => {});
  });
  after(async () => {
    await raw.close();
    await broker.close();
  });

  const open = (options: Partial<RabbitQueueOptions> = {}): Promise<RabbitQueue> =>
    openRabbitQueue(broker, options);

  it('fills up to its limit, refuses, and is drained of exactly what was confirmed', async () => {
    const name = newQueueName();
    await using queue = await open({ maxLength: 100 });
    await queue.declare([name]);
    const results = await Promise.allSettled(
      Array.from({ length: 1000 }, (_, i) => queue.publish(testJob({ queue: name, iteration: i + 1 }))),
    );
    const accepted = new Set<number>();
    for (const [i, { status }] of results.entries()) if (status === 'fulfilled') accepted.add(i + 1);
    assert.ok(accepted.size >= 100 && accepted.size < 1000, `${accepted.size} were accepted`);
    const seen = new Set<number>();
    const drained = Promise.withResolvers<void>();
    await using _consumer = queue.consume(name, { prefetch: 32 }, async ({ job, ack }) => {
      seen.add(job.iteration);
      await ack();
      if (seen.size === accepted.size) drained.resolve();
    });
    await drained.promise;
    assert.deepEqual(seen, accepted);
  });

  it('sets poison aside with a reason, and goes on with the jobs behind it', async () => {
    const name = newQueueName();
    const notices: QueueNotice[] = [];
    await using queue = await open({ onNotice: (notice) => notices.push(notice) });
    await queue.declare([name]);
    const channel = await raw.acquire();
    await channel.confirmSelect();
    const poison: (string | object | Buffer)[] = [
      'not JSON',
      { some: 'object' },
      Buffer.from(JSON.stringify({ ...testJob(), attempt: 0 })),
      Buffer.from(JSON.stringify({ ...testJob(), schemaVersion: 'one' })),
      { ...testJob(), deploymentId: 'another' },
      Buffer.alloc(1024 * 1024 + 1, 'x'),
    ];
    for (const body of poison) await channel.basicPublish({ routingKey: name, durable: true }, body);
    await queue.publish(testJob({ queue: name, iteration: 7 }));
    const [job] = await handled(queue, name, 1);
    assert.equal(job!.iteration, 7);
    const reasons: string[] = [];
    for (;;) {
      const dead = await channel.basicGet({ queue: `${name}.dlq` });
      if (!dead) break;
      assert.equal(dead.headers?.['yeeter-reason'], 'not_a_job');
      assert.equal(dead.headers?.['yeeter-origin'], name);
      reasons.push(String(dead.headers?.['yeeter-error']));
    }
    await channel.close();
    assert.equal(reasons.length, poison.length);
    assert.ok(reasons.some((reason) => /not JSON/.test(reason)));
    assert.ok(reasons.some((reason) => /deployment another/.test(reason)));
    assert.ok(reasons.some((reason) => /bytes/.test(reason)));
    assert.equal(notices.filter(({ kind }) => kind === 'set_aside').length, poison.length);
    assert.equal((await queue.requeueDead(name, { jobIds: 'all' })).requeued, 0);
  });

  async function untilDead(queue: RabbitQueue, name: string, count: number): Promise<void> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const [depth] = await queue.depth([name]);
      if (depth!.dead === count) return;
      assert.ok(performance.now() < deadline, `${depth!.dead} dead letters, not ${count}`);
      await delay(20);
    }
  }

  it('delays a message of a later version, and spends no attempt on it', async () => {
    const name = newQueueName();
    await using queue = await open();
    await queue.declare([name]);
    const channel = await raw.acquire();
    await channel.confirmSelect();
    const newer = { ...testJob({ queue: name }), schemaVersion: 99 };
    await channel.basicPublish({ routingKey: name, durable: true }, Buffer.from(JSON.stringify(newer)));
    await queue.publish(testJob({ queue: name, iteration: 2 }));
    await handled(queue, name, 1);
    const [depth] = await queue.depth([name]);
    assert.deepEqual([depth!.delayed, depth!.dead], [1, 0]);
    const waiting = await channel.basicGet({ queue: `${name}.delay.3200` });
    assert.deepEqual(JSON.parse(String(waiting!.body)), newer);
    await channel.close();
  });

  it('delivers retries no earlier than due, over as many rungs as that takes', async () => {
    const name = newQueueName();
    await using queue = await open();
    await queue.declare([name]);
    const delays = [0, 1, 100, 130, 300, 450, 790];
    for (const [i] of delays.entries()) await queue.publish(testJob({ queue: name, iteration: i + 1 }));
    const dueAt = new Map<number, number>();
    const early: string[] = [];
    const all = Promise.withResolvers<void>();
    let done = 0;
    await using _consumer = queue.consume(name, { prefetch: 8 }, async ({ job, ack, retry }) => {
      const delayMs = delays[job.iteration - 1]!;
      if (job.attempt === 1) {
        dueAt.set(job.iteration, performance.now() + delayMs);
        return retry({ ...job, attempt: 2 }, delayMs);
      }
      const missingMs = dueAt.get(job.iteration)! - performance.now();
      if (missingMs > 0.5) early.push(`${delayMs} ms: ${missingMs} ms too early`);
      await ack();
      if (++done === delays.length) all.resolve();
    });
    await all.promise;
    assert.deepEqual(early, []);
  });

  it('counts up when a job is handed back, so that a worker can give it up before the broker does', async () => {
    const name = newQueueName();
    await using queue = await open();
    await queue.declare([name]);
    await queue.publish(testJob({ queue: name }));
    const counts: number[] = [];
    const settled = Promise.withResolvers<void>();
    await using _consumer = queue.consume(name, { prefetch: 1 }, async (delivery) => {
      counts.push(delivery.deliveryCount);
      if (delivery.deliveryCount < 10) return delivery.release();
      await delivery.deadLetter(delivery.job, 'handed back 10 times');
      settled.resolve();
    });
    await settled.promise;
    assert.deepEqual(
      counts,
      Array.from({ length: 11 }, (_, i) => i),
    );
  });

  it('finds the jobs that the broker itself gave up, has them settled once, and takes them back', async () => {
    const name = newQueueName();
    await using queue = await open();
    await queue.declare([name]);
    for (const iteration of [1, 2]) await queue.publish(testJob({ queue: name, iteration }));
    const consumer = queue.consume(name, { prefetch: 1 }, ({ job, release, deadLetter }) =>
      job.iteration === 1 ? release() : deadLetter(job, 'settled by its worker'),
    );
    await untilDead(queue, name, 2);
    await consumer.close();
    const settled: number[] = [];
    const settle = async (jobs: readonly Job[]): Promise<void> => {
      settled.push(...jobs.map(({ iteration }) => iteration));
    };
    assert.equal(await queue.reconcileDead(name, settle), 1);
    assert.deepEqual(settled, [1]);
    await untilDead(queue, name, 2);
    assert.equal(await queue.reconcileDead(name, settle), 0);
    await untilDead(queue, name, 2);
    assert.equal((await queue.requeueDead(name, { jobIds: 'all' })).requeued, 2);
    const jobs = await handled(queue, name, 2);
    assert.deepEqual(
      jobs.map(({ attempt }) => attempt),
      [2, 2],
    );
  });

  it('gives a job whose handler throws to the next, and says so', async () => {
    const name = newQueueName();
    const notices: QueueNotice[] = [];
    await using queue = await open({ onNotice: (notice) => notices.push(notice) });
    await queue.declare([name]);
    await queue.publish(testJob({ queue: name }));
    const again = Promise.withResolvers<void>();
    await using _consumer = queue.consume(name, { prefetch: 1 }, async ({ deliveryCount, ack }) => {
      if (deliveryCount === 0) throw new Error('a fault of the program');
      await ack();
      again.resolve();
    });
    await again.promise;
    assert.deepEqual(
      notices.map(({ kind }) => kind),
      ['handler_failed'],
    );
  });

  it('hands back, on closing a consumer, what it has not started, and keeps acknowledged what it has', async () => {
    const name = newQueueName();
    await using queue = await open();
    await queue.declare([name]);
    await Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        queue.publish(testJob({ queue: name, iteration: i + 1, jobId: `job-${i + 1}` })),
      ),
    );
    const acknowledged = new Set<number>();
    const enough = Promise.withResolvers<void>();
    const consumer = queue.consume(name, { prefetch: 200 }, async ({ job, ack }) => {
      // Out of order, so that most are acknowledged singly.
      await delay((job.iteration * 37) % 50);
      acknowledged.add(job.iteration);
      await ack();
      if (acknowledged.size === 250) enough.resolve();
    });
    await enough.promise;
    await consumer.close();
    const rest = await handled(queue, name, 500 - acknowledged.size);
    for (const { iteration } of rest) assert.equal(acknowledged.has(iteration), false, `job ${iteration}`);
  });
});
