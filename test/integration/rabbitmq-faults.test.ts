import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { pipeline } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { Connection } from 'rabbitmq-client';
import type { Job } from '../../src/domain/job.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { YeeterError } from '../../src/lib/errors.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import type { QueueNotice } from '../../src/queue/rabbitmq/broker-connection.ts';
import {
  createRabbitQueue,
  type RabbitQueue,
  type RabbitQueueOptions,
} from '../../src/queue/rabbitmq/rabbit-queue.ts';
import { testJob } from '../support/job.ts';
import type { PrivateRabbitmq } from '../support/rabbitmq.ts';
import { selfSigned } from '../support/self-signed.ts';
import { startPrivateRabbitmq, without } from '../support/services.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const JOBS = 3000;

describe('a queue on RabbitMQ, when things go wrong', { skip: without('rabbitmq-server') }, () => {
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
    createRabbitQueue({ url: broker.url, deploymentId: 'test', clock: systemClock, ...options });

  const newName = (): string => `q-${randomBytes(4).toString('hex')}`;

  /** Publishes and consumes `JOBS` jobs, each over two queues, and breaks something once a third is through. */
  async function carryThrough(queue: RabbitQueue, breakSomething: () => Promise<void>): Promise<void> {
    const [first, second] = [newName(), newName()];
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
    const name = newName();
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

  it('makes no queue of a name that none may have', async () => {
    await using queue = await open();
    for (const name of ['orders.dlq', 'x'.repeat(201)]) {
      await assert.rejects(queue.declare([name]), {
        code: 'CONFIG_INVALID',
        message: /is not a queue's name: 1 to/,
      });
    }
  });

  it('ends a delivery of a lost connection without effect, and delivers the job again', async () => {
    await using proxy = await startTcpProxy(broker.port);
    const name = newName();
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
      queue.publish(testJob({ queue: newName() })),
      (error) =>
        error instanceof YeeterError &&
        error.code === 'QUEUE_PUBLISH_FAILED' &&
        /no confirm/.test(error.message),
    );
  });

  it('closes although the broker hangs, and leaves the job in hand to the next', async () => {
    await using proxy = await startTcpProxy(broker.port);
    const name = newName();
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

  it('refuses, with a code, a publish to a queue that is not there', async () => {
    await using queue = await open();
    await assert.rejects(
      queue.publish(testJob({ queue: 'nowhere' })),
      (error) =>
        error instanceof YeeterError &&
        error.code === 'QUEUE_PUBLISH_FAILED' &&
        /not on the broker/.test(error.message),
    );
  });

  it('names the queue whose arguments differ, and says what to do', async () => {
    const name = newName();
    await using queue = await open({ maxLength: 10 });
    await queue.declare([name]);
    await using other = await open({ maxLength: 20 });
    await assert.rejects(
      other.declare([name]),
      (error) =>
        error instanceof YeeterError &&
        error.code === 'QUEUE_MISMATCH' &&
        error.message.includes(`"${name}"`) &&
        /delete it/.test(error.message),
    );
  });

  it('names the broker, but not the password, when it is not there', async () => {
    const url = 'amqp://app:secret@127.0.0.1:1/v';
    await assert.rejects(open({ url, connectTimeoutMs: 1000 }), (error: YeeterError) => {
      assert.equal(error.code, 'QUEUE_UNREACHABLE');
      assert.match(error.message, /RabbitMQ 127\.0\.0\.1:1\/v: nothing listens .* the broker is started/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  it('says at once which login the broker refuses, also when it was still starting', async () => {
    let tries = 0;
    const starting = createServer((client) => {
      if (++tries < 3) return client.destroy();
      return void pipeline(client, connect(broker.port, '127.0.0.1'), client, () => {});
    });
    await once(starting.listen(0, '127.0.0.1'), 'listening');
    const { port } = starting.address() as AddressInfo;
    for (const [url, reason] of [
      [`amqp://app:secret@127.0.0.1:${broker.port}`, /: it refuses user "app" or the password/],
      [`amqp://guest:guest@127.0.0.1:${broker.port}/no%20vhost`, /user "guest" into vhost "no vhost"/],
      [`amqp://app:secret@127.0.0.1:${port}`, /: it refuses user "app" or the password/],
    ] as const) {
      const startedMs = performance.now();
      await assert.rejects(open({ url, connectTimeoutMs: 60_000 }), (error: YeeterError) => {
        assert.deepEqual([error.code, error.retryable], ['LOGIN_REFUSED', false]);
        assert.match(error.message, reason);
        assert.doesNotMatch(error.message, /secret|undefined/);
        return true;
      });
      assert.ok(performance.now() - startedMs < 30_000, 'waiting does not help');
    }
    starting.close();
  });

  it('says at once that TLS meets a port without it, or the other way round, or another protocol', async () => {
    const web = createHttpServer().listen(0, '127.0.0.1');
    const secure = createTlsServer(selfSigned()).listen(0, '127.0.0.1');
    // The alert of a broker's port for TLS that does not get any.
    const alerting = createServer((client) => client.end(Buffer.from('1503030002020a', 'hex')));
    alerting.listen(0, '127.0.0.1');
    await Promise.all([web, secure, alerting].map((server) => once(server, 'listening')));
    const portOf = (server: Server): number => (server.address() as AddressInfo).port;
    for (const [scheme, port, code, reason] of [
      ['amqps', broker.port, 'TLS_FAILED', /no TLS at that port/],
      ['amqp', portOf(alerting), 'TLS_FAILED', /it expects TLS at that port/],
      ['amqps', portOf(secure), 'TLS_FAILED', /certificate is not accepted \(self-signed/],
      ['amqp', portOf(web), 'QUEUE_UNREACHABLE', /no RabbitMQ \("HTTP/],
      ['amqps', portOf(web), 'TLS_FAILED', /no TLS at that port/],
    ] as const) {
      const url = `${scheme}://app:secret@127.0.0.1:${port}`;
      await assert.rejects(open({ url, connectTimeoutMs: 60_000 }), (error: YeeterError) => {
        assert.deepEqual([error.code, error.retryable], [code, false], error.message);
        assert.match(error.message, reason);
        return true;
      });
    }
    for (const server of [web, secure, alerting]) server.close();
  });

  it('says of a port that closes without a word that something else may listen there', async () => {
    const other = createServer((client) => void client.resume().end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `amqp://127.0.0.1:${(other.address() as AddressInfo).port}`;
    await assert.rejects(open({ url, connectTimeoutMs: 300 }), {
      code: 'QUEUE_UNREACHABLE',
      message: /without a word: .*something other than RabbitMQ/,
    });
    other.close();
  });

  it('fills up to its limit, refuses, and is drained of exactly what was confirmed', async () => {
    const name = newName();
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
    const name = newName();
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

  /** Acknowledges jobs until `count` have come. */
  async function handled(queue: RabbitQueue, name: string, count: number): Promise<Job[]> {
    const jobs: Job[] = [];
    const enough = Promise.withResolvers<void>();
    await using _consumer = queue.consume(name, { prefetch: 8 }, async ({ job, ack }) => {
      jobs.push(job);
      await ack();
      if (jobs.length === count) enough.resolve();
    });
    await enough.promise;
    return jobs;
  }

  it('delays a message of a later version, and spends no attempt on it', async () => {
    const name = newName();
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
    const name = newName();
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
    const name = newName();
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
    const name = newName();
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
    const name = newName();
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
    const name = newName();
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
