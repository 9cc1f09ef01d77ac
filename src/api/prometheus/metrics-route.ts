import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Prometheus } from './prometheus.ts';

/** Who may scrape: `auto` is this machine, and administrators from elsewhere. */
export const METRICS_ACCESS = ['auto', 'open', 'closed'] as const;
export type MetricsAccess = (typeof METRICS_ACCESS)[number];

export interface MetricsRouteOptions {
  prometheus: Prometheus;
  access: MetricsAccess;
  isAdmin: (request: FastifyRequest) => Promise<boolean>;
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** Asked from this machine itself, and not through a proxy on it that stands for others. */
export function isLocal(
  request: Pick<FastifyRequest, 'headers'> & { socket: { remoteAddress?: string } },
): boolean {
  const { headers, socket } = request;
  const forwarded = headers.forwarded ?? headers['x-forwarded-for'] ?? headers['x-real-ip'];
  return forwarded === undefined && LOOPBACK.test(socket.remoteAddress ?? '');
}

/** `GET /metrics` for Prometheus. */
export async function metricsRoute(app: FastifyInstance, options: MetricsRouteOptions): Promise<void> {
  const { prometheus, access, isAdmin } = options;
  if (access === 'closed') return;
  app.get('/metrics', async (request, reply) => {
    if (access !== 'open' && !isLocal(request) && !(await isAdmin(request))) {
      const error = 'metrics are for administrators: send a token or an API key, or set YEETER_METRICS=open';
      return reply.code(401).send({ error, code: 'UNAUTHENTICATED' });
    }
    return reply.type(prometheus.contentType).send(await prometheus.text());
  });
}
