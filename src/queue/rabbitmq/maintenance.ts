import type { Connection, SyncMessage } from 'rabbitmq-client';
import type { Job } from '../../domain/job.ts';
import type { Clock } from '../../lib/clock.ts';
import { YeeterError } from '../../lib/errors.ts';
import { plural } from '../../lib/plural.ts';
import type { QueueMaintenance, RequeueSelection, SetAsideMessage } from '../port.ts';
import { requeuedJob } from '../requeued-job.ts';
import { DELAY_RUNGS_MS, deadLetterQueue, delayQueue } from '../topology.ts';
import { withChannel } from './broker-connection.ts';
import type { BrokerQueues } from './broker-queues.ts';
import {
  bodyOf,
  copyOf,
  deadLetterHeaders,
  HEADER,
  jobMessage,
  numberHeader,
  readMessage,
} from './message.ts';
import type { Mover } from './mover.ts';
import { type Taken, takeMessages } from './take-messages.ts';

export interface MaintenanceDeps {
  connection: Connection;
  queues: BrokerQueues;
  mover: Mover;
  deploymentId: string;
  clock: Clock;
}

const DEFAULT_REQUEUE_LIMIT = 10_000;
const MOST_LOOKED_AT = 1_000_000;
const NEVER_ENDED =
  'handed out too often without being ended: its workers stop, or lose their connection, with it';

export function createMaintenance(deps: MaintenanceDeps): QueueMaintenance {
  const { connection, queues, mover, deploymentId, clock } = deps;

  const republish = async (message: SyncMessage, queue: string, job: Job): Promise<boolean> => {
    const requeues = numberHeader(message, HEADER.requeues) + 1;
    const origin = originOf(message, queue);
    const next = { ...requeuedJob(job, clock.epochUs()), queue: origin };
    return (await mover.toQueue(jobMessage(origin, next, { [HEADER.requeues]: requeues }))) === 'confirmed';
  };

  const requeueDead = async (
    queue: string,
    { jobIds, limit = DEFAULT_REQUEUE_LIMIT, beforePublish }: RequeueSelection,
  ): Promise<{ requeued: number; jobs: Job[] }> => {
    const wanted = jobIds === 'all' ? null : new Set(jobIds);
    const requeued: Job[] = [];
    const dead = deadLetterQueue(queue);
    await takeMessages(connection, dead, await count([dead]), async (messages) => {
      const chosen: { at: number; job: Job }[] = [];
      for (const [at, message] of messages.entries()) {
        const reading = readMessage(message, deploymentId);
        if (reading.kind !== 'job' || isSetAside(message)) continue;
        if (wanted?.has(reading.job.jobId) === false) continue;
        if (requeued.length + chosen.length < limit) chosen.push({ at, job: reading.job });
      }
      if (chosen.length > 0) await beforePublish?.(chosen.map(({ job }) => job));
      const verdicts: Taken[] = messages.map(() => 'keep');
      await Promise.all(
        chosen.map(async ({ at, job }) => {
          if (!(await republish(messages[at]!, queue, job))) return;
          verdicts[at] = 'remove';
          requeued.push(job);
        }),
      );
      return verdicts;
    });
    return { requeued: requeued.length, jobs: requeued };
  };

  const reconcileDead = async (
    queue: string,
    settle: (jobs: readonly Job[]) => Promise<unknown>,
  ): Promise<number> => {
    let reconciled = 0;
    const dead = deadLetterQueue(queue);
    await takeMessages(connection, dead, await count([dead]), async (messages) => {
      const unmarked: { at: number; job: Job }[] = [];
      for (const [at, message] of messages.entries()) {
        if (message.headers?.[HEADER.origin] !== undefined) continue;
        const reading = readMessage(message, deploymentId);
        if (reading.kind === 'job') unmarked.push({ at, job: reading.job });
      }
      if (unmarked.length > 0) await settle(unmarked.map(({ job }) => job));
      const verdicts: Taken[] = messages.map(() => 'keep');
      await Promise.all(
        unmarked.map(async ({ at, job }) => {
          const headers = deadLetterHeaders(queue, job, NEVER_ENDED, clock.nowMs());
          const outcome = await mover.toDeadLetters(copyOf(messages[at]!, queue, headers));
          if (outcome === 'confirmed') verdicts[at] = 'remove';
        }),
      );
      reconciled += unmarked.length;
      return verdicts;
    });
    return reconciled;
  };

  const setAsideMessages = async (queue: string, limit: number): Promise<SetAsideMessage[]> => {
    const found: SetAsideMessage[] = [];
    const dead = deadLetterQueue(queue);
    // Not up to their number, which the broker tells a moment late, but until there are no more.
    await takeMessages(
      connection,
      dead,
      (await queues.count([dead]))[0] ? MOST_LOOKED_AT : 0,
      async (messages) => {
        for (const message of messages) {
          const reading = readMessage(message, deploymentId);
          if (reading.kind === 'job' && !isSetAside(message)) continue;
          const told: unknown = message.headers?.[HEADER.error];
          found.push({
            messageId: message.messageId || null,
            reason:
              typeof told === 'string' ? told : reading.kind === 'job' ? 'no reason given' : reading.reason,
            setAsideAtMs: numberHeader(message, HEADER.diedAt) || null,
            bytes: bodyOf(message).length,
          });
        }
        return messages.map(() => 'keep');
      },
    );
    const whenOf = ({ setAsideAtMs }: SetAsideMessage): number => setAsideAtMs ?? 0;
    return found
      .reverse()
      .sort((a, b) => whenOf(b) - whenOf(a))
      .slice(0, limit);
  };

  const withdraw = async (
    queue: string,
    runId: number,
    settle: (jobs: readonly Job[]) => Promise<unknown>,
  ): Promise<number> => {
    // Longest first: what climbs down to a shorter rung meanwhile is met there.
    const rungs = DELAY_RUNGS_MS.toReversed().map((rungMs) => delayQueue(queue, rungMs));
    const [work, ...delayed] = await queues.count([queue, ...rungs]);
    let withdrawn = 0;
    const withdrawFrom = (name: string, present: number): Promise<void> =>
      takeMessages(connection, name, present, async (messages) => {
        const jobs: Job[] = [];
        const verdicts = messages.map((message): Taken => {
          const reading = readMessage(message, deploymentId);
          if (reading.kind !== 'job' || reading.job.runId !== runId) return 'keep';
          jobs.push(reading.job);
          return 'remove';
        });
        if (jobs.length > 0) await settle(jobs);
        withdrawn += jobs.length;
        return verdicts;
      });
    for (const [at, rung] of rungs.entries()) await withdrawFrom(rung, delayed[at]?.ready ?? 0);
    if (work?.consumers === 0) await withdrawFrom(queue, work.ready);
    return withdrawn;
  };

  const count = async (names: readonly string[]): Promise<number> => {
    const counts = await queues.count(names);
    return counts.reduce((sum, one) => sum + (one?.ready ?? 0), 0);
  };

  const purge = async (
    queue: string,
    expected: number,
    settle: (jobs: readonly Job[]) => Promise<unknown>,
  ): Promise<number> => {
    const names = [queue, ...DELAY_RUNGS_MS.map((rungMs) => delayQueue(queue, rungMs))];
    const present = await count(names);
    if (present !== expected) {
      throw new YeeterError(
        'QUEUE_COUNT_CHANGED',
        `queue "${queue}" holds ${present} ${plural(present, 'job')}, not ${expected}: look again, and purge with the new count`,
      );
    }
    let purged = 0;
    for (const name of names) {
      await takeMessages(connection, name, expected, async (messages) => {
        const jobs: Job[] = [];
        for (const message of messages) {
          const reading = readMessage(message, deploymentId);
          if (reading.kind === 'job') jobs.push(reading.job);
        }
        await settle(jobs);
        purged += messages.length;
        return messages.map(() => 'remove');
      });
    }
    return purged;
  };

  return {
    exists: async (queue) => (await queues.count([queue]))[0] !== null,
    setAsideMessages,
    requeueDead,
    reconcileDead,
    withdraw,
    purge,
    purgeDead: (queue) =>
      withChannel(connection, async (channel) => {
        const { messageCount } = await channel.queuePurge(deadLetterQueue(queue));
        return messageCount;
      }),
  };
}

/** By a worker that could not execute it; see `Mover.setAside`. */
function isSetAside(message: SyncMessage): boolean {
  return message.headers?.[HEADER.reason] !== undefined;
}

/** What the broker set aside by itself has no header of ours, and lies with its own queue. */
function originOf(message: SyncMessage, queue: string): string {
  const origin: unknown = message.headers?.[HEADER.origin];
  return typeof origin === 'string' ? origin : queue;
}
