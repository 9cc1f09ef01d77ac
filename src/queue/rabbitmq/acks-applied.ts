import type { Channel } from 'rabbitmq-client';

/**
 * Resolves when the queue has applied what was acknowledged on this channel; to be awaited before it is closed.
 * The broker keeps acknowledgements past some 30 back in the channel until the first are applied, and forgets them
 * with the channel: jobs that are done would be delivered again. A get goes through the queue's log behind them, and
 * a second one behind those kept back. What they bring goes back to the queue with the channel.
 */
export async function acksApplied(channel: Channel, queue: string): Promise<void> {
  await channel.basicGet({ queue });
  await channel.basicGet({ queue });
}
