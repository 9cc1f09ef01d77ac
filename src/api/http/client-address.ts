import type { IncomingMessage } from 'node:http';

/** Of a connection that Fastify does not see, as its `request.ip` says it. */
export function clientAddress({ headers, socket }: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? headers['x-forwarded-for'] : undefined;
  return [forwarded ?? []].flat().join().split(',')[0]!.trim() || (socket.remoteAddress ?? '');
}
