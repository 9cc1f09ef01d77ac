import { YeeterError } from '../../lib/errors.ts';
import type { MessageRates } from '../port.ts';

const TIMEOUT_MS = 5000;

/** Where the management API is, and whose queues it is asked for. */
export interface ManagementAddress {
  /** Base URL, with credentials. */
  managementUrl: string;
  /** `HOST:PORT/VHOST` */
  broker: string;
}

/** What only the management API tells of a queue; it refreshes its counts every 5 s. */
interface ManagedQueue {
  messages_unacknowledged?: number;
  /** Absent until something has passed. */
  message_stats?: {
    publish_details?: { rate: number };
    ack_details?: { rate: number };
  };
}

/** Null of a queue that is not there. @throws {YeeterError} QUEUE_UNREACHABLE */
async function askFor(
  queue: string,
  { managementUrl, broker }: ManagementAddress,
): Promise<ManagedQueue | null> {
  const base = new URL(managementUrl);
  const login = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`;
  const vhost = decodeURIComponent(broker.slice(broker.indexOf('/') + 1)) || '/';
  const path = `api/queues/${encodeURIComponent(vhost)}/${encodeURIComponent(queue)}`;
  try {
    const response = await fetch(`${base.origin}${base.pathname.replace(/\/$/, '')}/${path}`, {
      headers: { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return (await response.json()) as ManagedQueue;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new YeeterError('QUEUE_UNREACHABLE', `RabbitMQ management ${base.host}: ${why}`, { cause: error });
  }
}

/** Unacknowledged messages of a queue over all its consumers. @throws {YeeterError} QUEUE_UNREACHABLE */
export async function countUnacknowledged(address: ManagementAddress, queue: string): Promise<number> {
  return (await askFor(queue, address))?.messages_unacknowledged ?? 0;
}

/**
 * Messages published to each queue and acknowledged from it a second, over the last 5 s, in the order of the names.
 * Hops and retries count; null of a queue that is not there.
 *
 * @throws {YeeterError} QUEUE_UNREACHABLE
 */
export function messageRates(
  address: ManagementAddress,
  queues: readonly string[],
): Promise<(MessageRates | null)[]> {
  return Promise.all(
    queues.map(async (queue) => {
      const managed = await askFor(queue, address);
      return (
        managed && {
          publishedPerSecond: managed.message_stats?.publish_details?.rate ?? 0,
          acknowledgedPerSecond: managed.message_stats?.ack_details?.rate ?? 0,
        }
      );
    }),
  );
}
