import type { Job } from '../../domain/job.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { YeeterError } from '../../lib/errors.ts';
import { plural } from '../../lib/plural.ts';
import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  MessageRates,
  QueueDepth,
  QueueMaintenance,
  QueuePort,
  RequeueSelection,
  SetAsideMessage,
} from '../port.ts';
import { requeuedJob } from '../requeued-job.ts';
import { createRateMeter, type RateMeter } from './rate-meter.ts';

interface Entry {
  job: Job;
  deliveryCount: number;
  requeues: number;
}

interface DeadEntry extends Entry {
  /** Null of a job that has died. */
  setAside: { reason: string; atMs: number } | null;
}

interface MemoryConsumer {
  prefetch: number;
  unacknowledged: number;
  open: boolean;
  idle: (() => void)[];
  handle: (delivery: Delivery) => Promise<void>;
}

interface QueueState {
  name: string;
  /** Read from `head` on; what lies before is trimmed now and then, so that taking is amortised O(1). */
  ready: (Entry | undefined)[];
  head: number;
  delayed: Map<NodeJS.Timeout, Entry>;
  dead: DeadEntry[];
  /** With those that are no longer kept. */
  deadCount: number;
  consumers: MemoryConsumer[];
  nextConsumer: number;
  pumping: boolean;
  published: RateMeter;
  acknowledged: RateMeter;
}

export interface MemoryQueueOptions {
  /** Jobs that one queue holds; a publish past it is rejected. @default 1000000 */
  maxLength?: number;
  /** Dead letters that are kept to be taken back; of later ones only the number is. @default 10000 */
  maxDead?: number;
  clock?: Clock;
}

export interface MemoryQueue extends QueuePort, QueueMaintenance {
  /** Delivers what is delayed of a run at once: a cancelled one does not wait for its retries. */
  expedite(runId: number): void;
  /** In the order of the names. */
  rates(queues: readonly string[]): Promise<MessageRates[]>;
}

/**
 * The queue of the embedded shape. Jobs live as long as the process does: after a crash the runner starts again
 * every iteration that has no terminal row.
 */
export function createMemoryQueue(options: MemoryQueueOptions = {}): MemoryQueue {
  const { maxLength = 1_000_000, maxDead = 10_000, clock = systemClock } = options;
  const queues = new Map<string, QueueState>();
  let closed = false;

  const queueNamed = (name: string): QueueState => {
    let queue = queues.get(name);
    if (!queue) {
      queue = {
        name,
        ready: [],
        head: 0,
        delayed: new Map(),
        dead: [],
        deadCount: 0,
        consumers: [],
        nextConsumer: 0,
        pumping: false,
        published: createRateMeter(),
        acknowledged: createRateMeter(),
      };
      queues.set(name, queue);
    }
    return queue;
  };

  const readyCount = (queue: QueueState): number => queue.ready.length - queue.head;

  const take = (queue: QueueState): Entry => {
    const entry = queue.ready[queue.head]!;
    queue.ready[queue.head] = undefined;
    queue.head++;
    if (queue.head > 1024 && queue.head * 2 > queue.ready.length) {
      queue.ready.splice(0, queue.head);
      queue.head = 0;
    }
    return entry;
  };

  const put = (queue: QueueState, entry: Entry): void => {
    if (closed) return;
    queue.ready.push(entry);
    schedule(queue);
  };

  const putLater = (queue: QueueState, entry: Entry, delayMs: number): void => {
    if (delayMs <= 0) {
      put(queue, entry);
      return;
    }
    const timer = setTimeout(() => {
      queue.delayed.delete(timer);
      put(queue, entry);
    }, delayMs);
    queue.delayed.set(timer, entry);
  };

  const schedule = (queue: QueueState): void => {
    if (queue.pumping) return;
    queue.pumping = true;
    queueMicrotask(() => {
      queue.pumping = false;
      pump(queue);
    });
  };

  const pump = (queue: QueueState): void => {
    while (readyCount(queue) > 0) {
      const consumer = nextFree(queue);
      if (!consumer) return;
      consumer.unacknowledged++;
      deliver(queue, consumer, take(queue));
    }
  };

  const nextFree = (queue: QueueState): MemoryConsumer | null => {
    for (let i = 0; i < queue.consumers.length; i++) {
      const at = (queue.nextConsumer + i) % queue.consumers.length;
      const consumer = queue.consumers[at]!;
      if (consumer.open && consumer.unacknowledged < consumer.prefetch) {
        queue.nextConsumer = at + 1;
        return consumer;
      }
    }
    return null;
  };

  const deliver = (queue: QueueState, consumer: MemoryConsumer, entry: Entry): void => {
    let ended = false;
    const end = (then?: () => void): Promise<void> => {
      if (ended) return Promise.reject(new YeeterError('INTERNAL', `job ${entry.job.jobId} was ended twice`));
      ended = true;
      then?.();
      consumer.unacknowledged--;
      schedule(queue);
      if (consumer.unacknowledged === 0) for (const resolve of consumer.idle.splice(0)) resolve();
      return Promise.resolve();
    };
    const { requeues } = entry;
    const requeue = (): void => put(queue, { ...entry, deliveryCount: entry.deliveryCount + 1 });
    const later = (job: Job, delayMs: number): Promise<void> =>
      end(() => putLater(queue, { job, deliveryCount: 0, requeues }, delayMs));
    const bury = (job: Job, setAside: DeadEntry['setAside']): void => {
      queue.deadCount++;
      if (queue.dead.length < maxDead) queue.dead.push({ job, deliveryCount: 0, requeues, setAside });
    };
    const delivery: Delivery = {
      job: entry.job,
      deliveryCount: entry.deliveryCount,
      requeues,
      ack: () => end(() => queue.acknowledged.count(clock.monotonicUs() / 1000)),
      retry: later,
      postpone: later,
      deadLetter: (job) => end(() => bury(job, null)),
      setAside: (reason) => end(() => bury(entry.job, { reason, atMs: clock.nowMs() })),
      release: () => end(requeue),
    };
    consumer.handle(delivery).finally(() => {
      if (!ended) void end(requeue);
    });
  };

  const consume = (
    name: string,
    { prefetch }: ConsumeOptions,
    handle: MemoryConsumer['handle'],
  ): Consumer => {
    const queue = queueNamed(name);
    const consumer: MemoryConsumer = { prefetch, unacknowledged: 0, open: true, idle: [], handle };
    queue.consumers.push(consumer);
    schedule(queue);
    const close = async (): Promise<void> => {
      consumer.open = false;
      if (consumer.unacknowledged > 0) await new Promise<void>((resolve) => consumer.idle.push(resolve));
      queue.consumers = queue.consumers.filter((other) => other !== consumer);
    };
    return { close, [Symbol.asyncDispose]: close };
  };

  const depthOf = (name: string): QueueDepth => {
    const queue = queueNamed(name);
    let unacknowledged = 0;
    for (const consumer of queue.consumers) unacknowledged += consumer.unacknowledged;
    return {
      queue: name,
      ready: readyCount(queue),
      unacknowledged,
      consumers: queue.consumers.length,
      delayed: queue.delayed.size,
      dead: queue.deadCount,
    };
  };

  const requeueDead = async (
    name: string,
    { jobIds, limit = 10_000, beforePublish }: RequeueSelection,
  ): Promise<{ requeued: number; jobs: Job[] }> => {
    const queue = queueNamed(name);
    const wanted = jobIds === 'all' ? null : new Set(jobIds);
    const taken = queue.dead
      .filter(({ job, setAside }) => setAside === null && wanted?.has(job.jobId) !== false)
      .slice(0, limit);
    const chosen = new Set(taken);
    if (taken.length > 0) await beforePublish?.(taken.map(({ job }) => job));
    queue.dead = queue.dead.filter((entry) => !chosen.has(entry));
    queue.deadCount -= taken.length;
    for (const { job, requeues } of taken) {
      put(queue, { job: requeuedJob(job, clock.epochUs()), deliveryCount: 0, requeues: requeues + 1 });
    }
    return { requeued: taken.length, jobs: taken.map(({ job }) => job) };
  };

  const setAsideMessages = async (name: string, limit: number): Promise<SetAsideMessage[]> =>
    queueNamed(name)
      .dead.flatMap(({ job, setAside }) => {
        if (setAside === null) return [];
        const bytes = Buffer.byteLength(JSON.stringify(job));
        return { messageId: job.jobId, reason: setAside.reason, setAsideAtMs: setAside.atMs, bytes };
      })
      .reverse()
      .slice(0, limit);

  const withdraw = async (
    name: string,
    runId: number,
    settle: (jobs: readonly Job[]) => Promise<unknown>,
  ): Promise<number> => {
    const queue = queueNamed(name);
    const jobs: Job[] = [];
    for (const [timer, { job }] of queue.delayed) {
      if (job.runId !== runId) continue;
      clearTimeout(timer);
      queue.delayed.delete(timer);
      jobs.push(job);
    }
    if (queue.consumers.length === 0) {
      const ready = Array.from({ length: readyCount(queue) }, () => take(queue));
      for (const entry of ready) {
        if (entry.job.runId === runId) jobs.push(entry.job);
        else put(queue, entry);
      }
    }
    await settle(jobs);
    return jobs.length;
  };

  const purgeDead = async (name: string): Promise<number> => {
    const queue = queueNamed(name);
    const { deadCount } = queue;
    queue.dead = [];
    queue.deadCount = 0;
    return deadCount;
  };

  const purge = async (
    name: string,
    expected: number,
    settle: (jobs: readonly Job[]) => Promise<unknown>,
  ): Promise<number> => {
    const queue = queueNamed(name);
    const present = readyCount(queue) + queue.delayed.size;
    if (present !== expected) {
      throw new YeeterError(
        'QUEUE_COUNT_CHANGED',
        `queue "${name}" holds ${present} ${plural(present, 'job')}, not ${expected}: look again, and purge with the new count`,
      );
    }
    const entries: Entry[] = [];
    while (readyCount(queue) > 0) entries.push(take(queue));
    for (const [timer, entry] of queue.delayed) {
      clearTimeout(timer);
      entries.push(entry);
    }
    queue.delayed.clear();
    await settle(entries.map(({ job }) => job));
    return entries.length;
  };

  const expedite = (runId: number): void => {
    for (const queue of queues.values()) {
      for (const [timer, entry] of queue.delayed) {
        if (entry.job.runId !== runId) continue;
        clearTimeout(timer);
        queue.delayed.delete(timer);
        put(queue, entry);
      }
    }
  };

  const close = async (): Promise<void> => {
    closed = true;
    for (const queue of queues.values()) {
      for (const timer of queue.delayed.keys()) clearTimeout(timer);
      queue.delayed.clear();
      queue.ready.length = 0;
      queue.head = 0;
    }
  };

  return {
    declare: async (names) => {
      for (const name of names) queueNamed(name);
    },
    publish: async (job) => {
      const queue = queueNamed(job.queue);
      if (closed) throw new YeeterError('QUEUE_PUBLISH_FAILED', `queue "${job.queue}" is closed`);
      if (readyCount(queue) + queue.delayed.size >= maxLength) {
        const message = `queue "${job.queue}" is full (${maxLength} jobs): let its workers catch up or raise the limit`;
        throw new YeeterError('QUEUE_PUBLISH_FAILED', message);
      }
      queue.published.count(clock.monotonicUs() / 1000);
      put(queue, { job, deliveryCount: 0, requeues: 0 });
    },
    consume,
    depth: async (names) => names.map(depthOf),
    exists: async (name) => queues.has(name),
    setAsideMessages,
    withdraw,
    requeueDead,
    // Nothing is set aside here but by its consumer.
    reconcileDead: async () => 0,
    purgeDead,
    purge,
    expedite,
    rates: async (names) =>
      names.map((name) => {
        const { published, acknowledged } = queueNamed(name);
        const nowMs = clock.monotonicUs() / 1000;
        return {
          publishedPerSecond: published.perSecond(nowMs),
          acknowledgedPerSecond: acknowledged.perSecond(nowMs),
        };
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
