import type { Channel, Connection, SyncMessage } from 'rabbitmq-client';
import { createAckBatch } from './ack-batch.ts';
import { acksApplied } from './acks-applied.ts';
import { withChannel } from './broker-connection.ts';

/** What becomes of a message that was taken: removed, or put back with all the others at the end. */
export type Taken = 'remove' | 'keep';

/** Messages decided on together. */
const BATCH = 250;

/**
 * Takes messages off a queue, at most `limit` and at most once each, and asks `decide` about each batch. What is
 * kept is put back in one go at the end, so that it is not met again meanwhile; it goes back by itself when this
 * process ends before.
 */
export async function takeMessages(
  connection: Connection,
  queue: string,
  limit: number,
  decide: (messages: readonly SyncMessage[]) => Promise<readonly Taken[]>,
): Promise<void> {
  if (limit === 0) return;
  await withChannel(connection, async (channel) => {
    const acks = createAckBatch(channel);
    let left = limit;
    while (left > 0) {
      const batch = await takeBatch(channel, queue, Math.min(BATCH, left));
      for (const { deliveryTag } of batch) acks.delivered(deliveryTag);
      const verdicts = await decide(batch);
      for (const [at, { deliveryTag }] of batch.entries()) {
        if (verdicts[at] === 'remove') acks.ack(deliveryTag);
      }
      acks.flush();
      left = batch.length < BATCH ? 0 : left - batch.length;
    }
    await acksApplied(channel, queue);
    channel.basicNack({ deliveryTag: 0, multiple: true, requeue: true });
  });
}

async function takeBatch(channel: Channel, queue: string, size: number): Promise<SyncMessage[]> {
  const batch: SyncMessage[] = [];
  while (batch.length < size) {
    const message = await channel.basicGet({ queue });
    if (!message) break;
    batch.push(message);
  }
  return batch;
}
