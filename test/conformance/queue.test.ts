import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Job } from '../../src/domain/job.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { failure, YeeterError } from '../../src/lib/errors.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import { createMemoryQueue } from '../../src/queue/memory/memory-queue.ts';
import type { Delivery, QueueDepth, QueueMaintenance, QueuePort } from '../../src/queue/port.ts';
import { createRabbitQueue } from '../../src/queue/rabbitmq/rabbit-queue.ts';
import { decideFailure } from '../../src/worker/settle.ts';
import { testJob } from '../support/job.ts';
import type { Rabbitmq } from '../support/rabbitmq.ts';
import { startRabbitmq, without } from '../support/services.ts';

interface Subject {
  name: string;
  skip: string | false;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** With nothing on it. */
  open(options?: { maxLength?: number }): Promise<QueuePort & QueueMaintenance>;
}

const memory: Subject = {
  name: 'memory',
  skip: false,
  start: async () => {},
  stop: async () => {},
  open: async (options) => createMemoryQueue(options),
};

function rabbitmq(): Subject {
  let broker: Rabbitmq;
  return {
    name: 'RabbitMQ',
    skip: without('rabbitmq-server'),
    start: async () => {
      broker = await startRabbitmq();
    },
    stop: () => broker.close(),
    open: async (options) =>
      createRabbitQueue({
        ...options,
        url: await broker.createVhost(),
        deploymentId: 'test',
        clock: systemClock,
      }),
  };
}

/** Collects deliveries until `count` have come, leaving each to `handle`. */
function collect(
  queue: QueuePort,
  count: number,
  handle: (delivery: Delivery) => Promise<void>,
  prefetch = 8,
): Promise<Delivery[]> {
  const seen: Delivery[] = [];
  return new Promise((resolve) => {
    const consumer = queue.consume('q', { prefetch }, async (delivery) => {
      seen.push(delivery);
      await handle(delivery);
      if (seen.length === count) void consumer.close().then(() => resolve(seen));
    });
  });
}

/** A broker counts a moment after what it counts. */
async function depthBecomes(queue: QueuePort, expected: Partial<QueueDepth>): Promise<void> {
  const deadline = performance.now() + 5000;
  while (true) {
    const [depth] = await queue.depth(['q']);
    if (isDeepStrictEqual({ ...depth, ...expected }, depth)) return;
    if (performance.now() > deadline) assert.deepEqual(depth, { ...depth, ...expected });
    await delay(10);
  }
}

/** A broker tells publishers a moment later that a full queue has room again. */
async function publishWhenTaken(queue: QueuePort, job: Job): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await queue.publish(job);
    } catch (error) {
      if (attempt === 100) throw error;
      await delay(20);
    }
  }
}

for (const subject of [memory, rabbitmq()]) {
  describe(`queue: ${subject.name}`, { skip: subject.skip }, () => {
    before(() => subject.start());
    after(() => subject.stop());

    it('delivers each published job once, in order, when each is acknowledged', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      for (let iteration = 1; iteration <= 50; iteration++) await queue.publish(testJob({ iteration }));
      const seen = await collect(queue, 50, (delivery) => delivery.ack(), 1);
      assert.deepEqual(
        seen.map(({ job }) => job.iteration),
        Array.from({ length: 50 }, (_, i) => i + 1),
      );
      await depthBecomes(queue, { ready: 0, unacknowledged: 0, consumers: 0, delayed: 0, dead: 0 });
    });

    it('hands out no more than the prefetch before something is ended', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      for (let iteration = 1; iteration <= 10; iteration++) await queue.publish(testJob({ iteration }));
      const held: Delivery[] = [];
      const gate = Promise.withResolvers<void>();
      const all = Promise.withResolvers<void>();
      let most = 0;
      const consumer = queue.consume('q', { prefetch: 3 }, async (delivery) => {
        held.push(delivery);
        most = Math.max(most, held.length);
        await gate.promise;
        held.splice(held.indexOf(delivery), 1);
        await delivery.ack();
        if (delivery.job.iteration === 10) all.resolve();
      });
      await depthBecomes(queue, { ready: 7, unacknowledged: 3, consumers: 1 });
      gate.resolve();
      await all.promise;
      await consumer.close();
      assert.equal(most, 3);
    });

    it('delivers a released job again, counted', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob());
      const seen = await collect(queue, 2, (delivery) =>
        delivery.deliveryCount === 0 ? delivery.release() : delivery.ack(),
      );
      assert.deepEqual(
        seen.map(({ deliveryCount }) => deliveryCount),
        [0, 1],
      );
    });

    it('delivers a retry no earlier than its delay, and others in between', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob({ iteration: 1 }));
      await queue.publish(testJob({ iteration: 2 }));
      let retriedAt = 0;
      let cameBackAt = 0;
      const seen = await collect(
        queue,
        3,
        async (delivery) => {
          const { job } = delivery;
          if (job.iteration === 1 && job.attempt === 1) {
            retriedAt = performance.now();
            return delivery.retry({ ...job, attempt: 2 }, 200);
          }
          if (job.attempt === 2) cameBackAt = performance.now();
          return delivery.ack();
        },
        1,
      );
      assert.deepEqual(
        seen.map(({ job }) => [job.iteration, job.attempt]),
        [
          [1, 1],
          [2, 1],
          [1, 2],
        ],
      );
      assert.ok(cameBackAt - retriedAt >= 199);
    });

    it('delivers a retry with delay 0 at once', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob());
      const seen = await collect(queue, 2, ({ job, ...delivery }) =>
        job.attempt === 1 ? delivery.retry({ ...job, attempt: 2 }, 0) : delivery.ack(),
      );
      assert.equal(seen[1]!.job.attempt, 2);
    });

    it('holds a postponed job without an unacknowledged delivery', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob());
      await collect(queue, 1, ({ job, postpone }) => postpone(job, 60_000));
      await depthBecomes(queue, { ready: 0, unacknowledged: 0, delayed: 1 });
    });

    it('delivers a job that waited over several rungs once, no earlier than due', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob());
      let postponedAt = 0;
      let cameBackAt = 0;
      await collect(queue, 2, ({ job, ack, postpone }) => {
        if (postponedAt > 0) {
          cameBackAt = performance.now();
          return ack();
        }
        postponedAt = performance.now();
        return postpone(job, 750);
      });
      assert.ok(cameBackAt - postponedAt >= 749);
      await depthBecomes(queue, { ready: 0, delayed: 0, dead: 0 });
    });

    it('refuses a publish to a full queue with a code, and takes jobs again once there is room', async () => {
      await using queue = await subject.open({ maxLength: 2 });
      await queue.declare(['q']);
      let accepted = 0;
      await assert.rejects(
        async () => {
          // A broker may let some more in than the limit says.
          for (; accepted < 20; accepted++) await queue.publish(testJob({ iteration: accepted + 1 }));
        },
        (error) => error instanceof YeeterError && error.code === 'QUEUE_PUBLISH_FAILED' && error.retryable,
      );
      assert.ok(accepted >= 2);
      await collect(queue, accepted, (delivery) => delivery.ack());
      await publishWhenTaken(queue, testJob({ iteration: 99 }));
      const [last] = await collect(queue, 1, (delivery) => delivery.ack());
      assert.equal(last!.job.iteration, 99);
    });

    it('takes a retry at once even when the queue is full', async () => {
      await using queue = await subject.open({ maxLength: 2 });
      await queue.declare(['q']);
      await queue.publish(testJob({ iteration: 1 }));
      const seen: string[] = [];
      const first = Promise.withResolvers<void>();
      const last = Promise.withResolvers<void>();
      await using _consumer = queue.consume('q', { prefetch: 1 }, async ({ job, ack, retry }) => {
        seen.push(`${job.iteration}/${job.attempt}`);
        if (job.iteration > 1 || job.attempt === 2) {
          await ack();
          if (job.attempt === 2) last.resolve();
          return;
        }
        await assert.rejects(async () => {
          for (let iteration = 2; iteration < 20; iteration++) await queue.publish(testJob({ iteration }));
        });
        await retry({ ...job, attempt: 2 }, 0);
        first.resolve();
      });
      await first.promise;
      await last.promise;
      assert.ok(seen.includes('1/2'));
    });

    it('takes a dead letter out of the queue', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob());
      await collect(queue, 1, ({ job, deadLetter }) => deadLetter(job, 'refused for good'));
      await depthBecomes(queue, { ready: 0, dead: 1 });
    });

    it('takes back the dead letters that are asked for, and marks repeat offenders', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      for (let iteration = 1; iteration <= 5; iteration++) await queue.publish(testJob({ iteration }));
      await collect(queue, 5, ({ job, deadLetter }) => deadLetter(job, 'refused'));
      const chosen = await queue.requeueDead('q', { jobIds: ['job-2', 'job-4', 'no-such-job'] });
      assert.deepEqual(
        [chosen.requeued, chosen.jobs.map(({ jobId }) => jobId).sort()],
        [2, ['job-2', 'job-4']],
      );
      await depthBecomes(queue, { dead: 3 });
      const again = await collect(queue, 2, ({ job, deadLetter }) => deadLetter(job, 'refused again'));
      for (const { job, requeues } of again) assert.deepEqual([job.attempt, requeues], [2, 1]);
      const reopened: string[] = [];
      const beforePublish = async (jobs: readonly Job[]): Promise<void> => {
        assert.equal((await queue.depth(['q']))[0]!.ready, 0);
        reopened.push(...jobs.map(({ jobId }) => jobId));
      };
      await assert.rejects(
        queue.requeueDead('q', {
          jobIds: 'all',
          beforePublish: () => Promise.reject(new Error('no ledger')),
        }),
        /no ledger/,
      );
      await depthBecomes(queue, { dead: 5, ready: 0 });
      const limited = await queue.requeueDead('q', { jobIds: 'all', limit: 4, beforePublish });
      assert.deepEqual(reopened.sort(), limited.jobs.map(({ jobId }) => jobId).sort());
      assert.equal(limited.requeued, 4);
      const seen = await collect(queue, 4, (delivery) => delivery.ack());
      assert.ok(seen.some(({ requeues }) => requeues === 2));
      assert.equal(await queue.purgeDead('q'), 1);
      await depthBecomes(queue, { dead: 0 });
    });

    it('begins the delays of a policy anew with each life of a job', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      const retry = { maxAttempts: 3, delayMs: 20, backoff: 'exponential', maxDelayMs: 60_000 } as const;
      await queue.publish(testJob({ retry }));
      const delays: [attempt: number, delayMs: number][] = [];
      const live = (): Promise<Delivery[]> =>
        collect(queue, 3, async (delivery) => {
          const { job } = delivery;
          const settlement = decideFailure(failure('MLLP_TIMEOUT', 'no answer'), null, job);
          if (settlement.action !== 'retry') return delivery.deadLetter(job, 'no answer');
          delays.push([job.attempt, settlement.delayMs]);
          return delivery.retry({ ...job, attempt: job.attempt + 1 }, settlement.delayMs);
        });
      await live();
      for (let life = 2; life <= 3; life++) {
        await depthBecomes(queue, { dead: 1 });
        assert.equal((await queue.requeueDead('q', { jobIds: 'all' })).requeued, 1);
        await live();
      }
      assert.deepEqual(delays, [
        [1, 20],
        [2, 40],
        [4, 20],
        [5, 40],
        [7, 20],
        [8, 40],
      ]);
    });

    it('purges what is ready and delayed when told the right count, and says which jobs they were', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob({ iteration: 1 }));
      await collect(queue, 1, ({ job, postpone }) => postpone(job, 60_000));
      for (let iteration = 2; iteration <= 60; iteration++) await queue.publish(testJob({ iteration }));
      const settled: Job[] = [];
      const settle = async (jobs: readonly Job[]): Promise<void> => void settled.push(...jobs);
      await assert.rejects(
        queue.purge('q', 59, settle),
        (error) => error instanceof YeeterError && error.code === 'QUEUE_COUNT_CHANGED',
      );
      assert.equal(await queue.purge('q', 60, settle), 60);
      assert.equal(new Set(settled.map(({ iteration }) => iteration)).size, 60);
      await depthBecomes(queue, { ready: 0, delayed: 0, dead: 0 });
    });

    it('sets aside what no worker can execute, tells why, and does not requeue it', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob({ iteration: 1 }));
      await queue.publish(testJob({ iteration: 2 }));
      await collect(queue, 2, ({ job, setAside, deadLetter }) =>
        job.iteration === 1 ? setAside('its run is not known') : deadLetter(job, 'refused'),
      );
      await depthBecomes(queue, { ready: 0, dead: 2 });
      for (let look = 0; look < 2; look++) {
        const [message, ...others] = await queue.setAsideMessages('q', 10);
        assert.deepEqual(others, []);
        assert.deepEqual([message!.messageId, message!.reason], ['job-1', 'its run is not known']);
        assert.ok(Math.abs(message!.setAsideAtMs! - Date.now()) < 60_000);
        assert.ok(message!.bytes > 100);
      }
      assert.deepEqual(await queue.setAsideMessages('q', 0), []);
      await depthBecomes(queue, { ready: 0, dead: 2 });
      assert.equal((await queue.requeueDead('q', { jobIds: 'all' })).requeued, 1);
      await depthBecomes(queue, { ready: 1, dead: 1 });
    });

    it('tells what was set aside, newest first', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      for (let iteration = 1; iteration <= 4; iteration++) await queue.publish(testJob({ iteration }));
      await collect(queue, 4, ({ setAside }) => setAside('its run is not known'), 1);
      await depthBecomes(queue, { ready: 0, dead: 4 });
      const newest = await queue.setAsideMessages('q', 3);
      assert.deepEqual(
        newest.map(({ messageId }) => messageId),
        ['job-4', 'job-3', 'job-2'],
      );
    });

    it('gives up the jobs of one run that wait, and leaves those that somebody will take', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      const gone = (iteration: number): Job => testJob({ runId: 7, jobId: `gone-${iteration}`, iteration });
      const settled: string[] = [];
      const settle = async (jobs: readonly Job[]): Promise<void> =>
        void settled.push(...jobs.map(({ jobId }) => jobId));
      for (const job of [gone(1), testJob({ iteration: 2 }), gone(3)]) await queue.publish(job);
      await collect(queue, 3, ({ job, postpone }) => postpone(job, job.iteration === 3 ? 1500 : 60_000));
      await depthBecomes(queue, { delayed: 3, consumers: 0 });
      await queue.publish(gone(4));
      await queue.publish(testJob({ iteration: 5 }));
      await depthBecomes(queue, { ready: 2 });
      assert.equal(await queue.withdraw('q', 7, settle), 3);
      assert.deepEqual(settled.sort(), ['gone-1', 'gone-3', 'gone-4']);
      await depthBecomes(queue, { ready: 1, delayed: 1 });

      const held = Promise.withResolvers<void>();
      await using _consumer = queue.consume('q', { prefetch: 1 }, async ({ ack }) => {
        await held.promise;
        await ack();
      });
      await depthBecomes(queue, { ready: 0, unacknowledged: 1, consumers: 1 });
      await queue.publish(gone(6));
      await depthBecomes(queue, { ready: 1 });
      assert.equal(await queue.withdraw('q', 7, settle), 0);
      held.resolve();
      await depthBecomes(queue, { ready: 0, unacknowledged: 0, delayed: 1 });
    });

    it('tells whether a queue is there', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      assert.equal(await queue.exists('q'), true);
      assert.equal(await queue.exists('another'), false);
    });

    it('refuses to end a delivery twice', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob());
      await collect(queue, 1, async (delivery) => {
        await delivery.ack();
        await assert.rejects(delivery.release(), /ended twice/);
      });
    });

    it('delivers a job again whose handler did not end it', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob());
      const seen = await collect(queue, 2, async ({ deliveryCount, ack }) => {
        if (deliveryCount > 0) await ack();
      });
      assert.deepEqual(
        seen.map(({ deliveryCount }) => deliveryCount),
        [0, 1],
      );
    });

    it('waits, on closing a consumer, for the handler that runs', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob());
      let ended = false;
      const begun = Promise.withResolvers<void>();
      const consumer = queue.consume('q', { prefetch: 1 }, async (delivery) => {
        begun.resolve();
        await new Promise((resolve) => setTimeout(resolve, 50));
        ended = true;
        await delivery.ack();
      });
      await begun.promise;
      await consumer.close();
      assert.equal(ended, true);
    });
  });
}
