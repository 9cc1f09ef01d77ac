import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createAckBatch } from './ack-batch.ts';

/** Keeps what is outstanding as a broker does. */
function fakeChannel() {
  const outstanding = new Set<number>();
  const frames: string[] = [];
  const take = (tag: number): void => {
    assert.ok(outstanding.delete(tag), `tag ${tag} is outstanding`);
  };
  return {
    outstanding,
    frames,
    active: true,
    basicAck: ({ deliveryTag, multiple = false }: { deliveryTag: number; multiple?: boolean }): void => {
      frames.push(`ack ${deliveryTag}${multiple ? ' and below' : ''}`);
      if (multiple) for (const tag of [...outstanding]) if (tag < deliveryTag) outstanding.delete(tag);
      take(deliveryTag);
    },
    basicNack: ({ deliveryTag }: { deliveryTag: number }): void => {
      frames.push(`nack ${deliveryTag}`);
      take(deliveryTag);
    },
  };
}

describe('acknowledgements', () => {
  it('take all below the lowest in hand with one frame, and the rest singly', () => {
    const channel = fakeChannel();
    const batch = createAckBatch(channel);
    for (let tag = 1; tag <= 8; tag++) {
      channel.outstanding.add(tag);
      batch.delivered(tag);
    }
    batch.giveBack(2);
    for (const tag of [3, 1, 4, 7, 6]) batch.ack(tag);
    batch.flush();
    assert.deepEqual(channel.frames, ['nack 2', 'ack 4 and below', 'ack 7', 'ack 6']);
    assert.equal(batch.outstanding, 2);
  });

  it('end exactly what was ended, in whatever order', () => {
    const steps = fc.array(
      fc.record({ at: fc.nat(), how: fc.constantFrom('ack', 'back', 'flush', 'deliver') }),
    );
    fc.assert(
      fc.property(steps, (plan) => {
        const channel = fakeChannel();
        const batch = createAckBatch(channel);
        const inHand: number[] = [];
        let lastTag = 0;
        for (const { at, how } of plan) {
          if (how === 'flush') batch.flush();
          else if (how === 'deliver' || inHand.length === 0) {
            channel.outstanding.add(++lastTag);
            batch.delivered(lastTag);
            inHand.push(lastTag);
          } else {
            const [tag] = inHand.splice(at % inHand.length, 1);
            if (how === 'ack') batch.ack(tag!);
            else batch.giveBack(tag!);
          }
        }
        batch.flush();
        assert.deepEqual([...channel.outstanding], inHand);
        assert.equal(batch.outstanding, inHand.length);
      }),
      { numRuns: 200 },
    );
  });

  it('are dropped with their channel', () => {
    const channel = fakeChannel();
    const batch = createAckBatch(channel);
    batch.delivered(1);
    batch.delivered(2);
    channel.active = false;
    batch.ack(1);
    batch.giveBack(2);
    batch.flush();
    assert.deepEqual(channel.frames, []);
  });
});
