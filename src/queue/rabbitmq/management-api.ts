import { YeeterError } from '../../lib/errors.ts';

const TIMEOUT_MS = 5000;

/**
 * Unacknowledged messages of a queue over all its consumers, which only the management API tells; it refreshes
 * its counts every 5 s.
 *
 * @param managementUrl with credentials
 * @param broker `HOST:PORT/VHOST`
 * @throws {YeeterError} QUEUE_UNREACHABLE
 */
export async function countUnacknowledged(
  managementUrl: string,
  broker: string,
  queue: string,
): Promise<number> {
  const base = new URL(managementUrl);
  const login = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`;
  const vhost = decodeURIComponent(broker.slice(broker.indexOf('/') + 1)) || '/';
  const path = `api/queues/${encodeURIComponent(vhost)}/${encodeURIComponent(queue)}`;
  try {
    const response = await fetch(`${base.origin}${base.pathname.replace(/\/$/, '')}/${path}`, {
      headers: { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 404) return 0;
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const body = (await response.json()) as { messages_unacknowledged?: number };
    return body.messages_unacknowledged ?? 0;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new YeeterError('QUEUE_UNREACHABLE', `RabbitMQ management ${base.host}: ${why}`, { cause: error });
  }
}
