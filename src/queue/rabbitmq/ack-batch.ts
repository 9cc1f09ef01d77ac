/** What an acknowledgement is written to. */
export interface AckChannel {
  readonly active: boolean;
  basicAck(params: { deliveryTag: number; multiple?: boolean }): void;
  basicNack(params: { deliveryTag: number; requeue?: boolean }): void;
}

/**
 * Acknowledgements of one channel, gathered per turn of the event loop. One frame takes all below the lowest tag
 * that is still in hand; above it each has its own, since "multiple" would take those in hand with it.
 */
export interface AckBatch {
  /** To be called for every delivery, in order. */
  delivered(tag: number): void;
  ack(tag: number): void;
  /** Back to the queue, at once. */
  giveBack(tag: number): void;
  flush(): void;
  /** Deliveries that the broker does not know to be ended. */
  readonly outstanding: number;
}

export function createAckBatch(channel: AckChannel): AckBatch {
  /** Ascending, since a set keeps the order of insertion. */
  const inHand = new Set<number>();
  let done: number[] = [];

  const flush = (): void => {
    if (done.length === 0) return;
    const tags = done;
    done = [];
    // A lost channel has nothing to acknowledge: its deliveries are on the queue again.
    if (!channel.active) return;
    const lowest: number = inHand.values().next().value ?? Number.POSITIVE_INFINITY;
    let below = 0;
    let highest = 0;
    for (const tag of tags) {
      if (tag > lowest) continue;
      below++;
      highest = Math.max(highest, tag);
    }
    if (below > 0) channel.basicAck({ deliveryTag: highest, multiple: below > 1 });
    if (below === tags.length) return;
    for (const tag of tags) if (tag > lowest) channel.basicAck({ deliveryTag: tag });
  };

  return {
    delivered: (tag) => {
      inHand.add(tag);
    },
    ack: (tag) => {
      if (!inHand.delete(tag)) return;
      done.push(tag);
      if (done.length === 1) setImmediate(flush);
    },
    giveBack: (tag) => {
      if (!inHand.delete(tag) || !channel.active) return;
      channel.basicNack({ deliveryTag: tag, requeue: true });
    },
    flush,
    get outstanding() {
      return inHand.size + done.length;
    },
  };
}
