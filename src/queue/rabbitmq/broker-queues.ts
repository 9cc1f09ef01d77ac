import type { Connection } from 'rabbitmq-client';
import { YeeterError } from '../../lib/errors.ts';
import { isQueueName, QUEUE_NAME_RULE } from '../../lib/queue-name.ts';
import { DELAY_RUNGS_MS, deadLetterDeclaration, delayDeclaration, workDeclaration } from '../topology.ts';
import { withChannel } from './broker-connection.ts';

export interface QueueCount {
  ready: number;
  consumers: number;
}

/** Makes queues on the broker, and counts what they hold. */
export interface BrokerQueues {
  /**
   * Declares a work queue with its dead letters and its rungs; what is there already, as it should be, stays.
   *
   * @throws {YeeterError} QUEUE_MISMATCH when one is there with other arguments, QUEUE_UNREACHABLE, which may be
   * retried unless the broker refuses it
   */
  declare(queue: string): Promise<void>;
  /** Null for a queue that is not there. */
  count(names: readonly string[]): Promise<(QueueCount | null)[]>;
}

export function createBrokerQueues(connection: Connection, maxLength: number): BrokerQueues {
  const declare = (queue: string): Promise<void> =>
    withChannel(connection, async (channel) => {
      if (!isQueueName(queue)) {
        throw new YeeterError('CONFIG_INVALID', `"${queue.slice(0, 40)}" is not ${QUEUE_NAME_RULE}`);
      }
      const declarations = [
        deadLetterDeclaration(queue),
        workDeclaration(queue, maxLength),
        ...DELAY_RUNGS_MS.map((rungMs) => delayDeclaration(queue, rungMs)),
      ];
      for (const declaration of declarations) {
        await channel.queueDeclare({ ...declaration }).catch((error) => {
          throw declarationError(declaration.queue, error);
        });
      }
    }).catch((error) => {
      throw declarationError(queue, error);
    });

  const count = async (names: readonly string[]): Promise<(QueueCount | null)[]> => {
    const counts: (QueueCount | null)[] = [];
    while (counts.length < names.length) {
      // A queue that is not there costs the channel.
      await withChannel(connection, async (channel) => {
        while (counts.length < names.length && channel.active) {
          counts.push(
            await channel.queueDeclare({ queue: names[counts.length]!, passive: true }).then(
              ({ messageCount, consumerCount }) => ({ ready: messageCount, consumers: consumerCount }),
              (error) => {
                if (error.code === 'NOT_FOUND') return null;
                throw new YeeterError('QUEUE_UNREACHABLE', `queue depth: ${error.message}`, { cause: error });
              },
            ),
          );
        }
      });
    }
    return counts;
  };

  return { declare, count };
}

/** What no waiting mends cannot be retried: a queue that is there and differs, and a user who may not make queues. */
function declarationError(queue: string, error: Error & { code?: string }): YeeterError {
  if (error instanceof YeeterError) return error;
  const { code, message } = error;
  switch (code) {
    case 'PRECONDITION_FAILED':
      return new YeeterError(
        'QUEUE_MISMATCH',
        `queue "${queue}" is on the broker with other arguments than this program gives it: let it run empty and ` +
          `delete it there, or go back to the settings it was made with (${message})`,
        { cause: error },
      );
    case 'ACCESS_REFUSED':
      return new YeeterError(
        'QUEUE_UNREACHABLE',
        `queue "${queue}" may not be made by this user of the broker: let it configure, write and read queues of ` +
          `that name (${message})`,
        { cause: error, retryable: false },
      );
    default:
      return new YeeterError('QUEUE_UNREACHABLE', `queue "${queue}": ${message}`, { cause: error });
  }
}
