import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { YeeterError } from '../../src/lib/errors.ts';
import { createMemoryQueue } from '../../src/queue/memory/memory-queue.ts';
import type { Delivery, QueuePort } from '../../src/queue/port.ts';
import { testJob } from '../support/job.ts';

interface Subject {
  name: string;
  open(options?: { maxLength?: number }): Promise<QueuePort>;
}

const SUBJECTS: readonly Subject[] = [
  { name: 'memory', open: async (options) => createMemoryQueue(options) },
];

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

for (const subject of SUBJECTS) {
  describe(`queue: ${subject.name}`, () => {
    it('delivers each published job once, in order, when each is acknowledged', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      for (let iteration = 1; iteration <= 50; iteration++) await queue.publish(testJob({ iteration }));
      const seen = await collect(queue, 50, (delivery) => delivery.ack(), 1);
      assert.deepEqual(
        seen.map(({ job }) => job.iteration),
        Array.from({ length: 50 }, (_, i) => i + 1),
      );
      assert.deepEqual(await queue.depth(['q']), [{ queue: 'q', ready: 0, unacknowledged: 0, consumers: 0 }]);
    });

    it('hands out no more than the prefetch before something is ended', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      for (let iteration = 1; iteration <= 10; iteration++) await queue.publish(testJob({ iteration }));
      const held: Delivery[] = [];
      const enough = Promise.withResolvers<void>();
      const consumer = queue.consume('q', { prefetch: 3 }, async (delivery) => {
        held.push(delivery);
        if (held.length === 3) enough.resolve();
        await enough.promise;
        await new Promise(setImmediate);
        assert.ok(held.length <= 3 || delivery.job.iteration > 3);
        await delivery.ack();
      });
      await enough.promise;
      const [depth] = await queue.depth(['q']);
      assert.equal(depth!.unacknowledged, 3);
      assert.equal(depth!.ready, 7);
      await consumer.close();
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
      const [depth] = await queue.depth(['q']);
      assert.deepEqual([depth!.ready, depth!.unacknowledged], [1, 0]);
    });

    it('refuses a publish to a full queue with a code', async () => {
      await using queue = await subject.open({ maxLength: 2 });
      await queue.declare(['q']);
      await queue.publish(testJob({ iteration: 1 }));
      await queue.publish(testJob({ iteration: 2 }));
      await assert.rejects(
        queue.publish(testJob({ iteration: 3 })),
        (error) => error instanceof YeeterError && error.code === 'QUEUE_PUBLISH_FAILED',
      );
    });

    it('takes a dead letter out of the queue', async () => {
      await using queue = await subject.open();
      await queue.declare(['q']);
      await queue.publish(testJob());
      await collect(queue, 1, ({ job, deadLetter }) => deadLetter(job, 'refused for good'));
      assert.equal((await queue.depth(['q']))[0]!.ready, 0);
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
