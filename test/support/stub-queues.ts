import { YeeterError } from '../../src/lib/errors.ts';
import type { QueueAdmin, QueueStatus } from '../../src/queue/admin-port.ts';

export interface StubQueues extends QueueAdmin {
  statuses: QueueStatus[];
  /** What was asked of it. */
  asked: unknown[][];
}

/** Queues that say what they are told and remember what they were asked. */
export function stubQueues(): StubQueues {
  const statuses: QueueStatus[] = [
    {
      queue: 'yeeter.simulation.orders',
      ready: 3,
      unacknowledged: 2,
      delayed: 1,
      dead: 4,
      consumers: 5,
      mode: 'open',
      publishedPerSecond: 1.5,
      acknowledgedPerSecond: null,
    },
  ];
  const asked: unknown[][] = [];
  const purge = (what: string, there: number) => async (queue: string, expected: number) => {
    asked.push([what, queue, expected]);
    if (expected !== there)
      throw new YeeterError('QUEUE_COUNT_CHANGED', `${there} are there, not ${expected}`);
    return there;
  };
  return {
    statuses,
    asked,
    list: async () => statuses,
    depth: async (queue) => ({ ...statuses[0]!, queue }),
    setAsideMessages: async (queue, limit) => {
      asked.push(['set aside', queue, limit]);
      return [
        { messageId: 'm-1', reason: 'it is not JSON', setAsideAtMs: 1_790_000_000_000, bytes: 8 },
        { messageId: null, reason: 'it is not JSON', setAsideAtMs: null, bytes: 9 },
      ];
    },
    requeueDead: async (queue, jobIds) => {
      asked.push(['requeue', queue, jobIds]);
      const benchSinks = [{ runId: 1, mllpPort: 2575, dicomPort: null }];
      return { requeued: 1, jobIds: ['job-1'], runIds: [1], benchSinks };
    },
    purgeDead: purge('purge dead', 4),
    purge: purge('purge', 3),
    setMode: async (queue, mode) => void asked.push(['mode', queue, mode]),
  };
}
