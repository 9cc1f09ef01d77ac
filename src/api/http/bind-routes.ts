import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { YeeterError } from '../../lib/errors.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import type { RouteSpec } from '../contract/route.ts';
import { ROUTES, type RouteName } from '../contract/routes.ts';
import { openCsvStream } from './csv-stream.ts';
import type { createErrorAnswer } from './error-answer.ts';
import type { Handler, Handlers, User } from './handlers.ts';
import { readRequest } from './read-request.ts';
import { within } from './within.ts';

export interface BindDeps {
  handlers: Handlers;
  authenticator: Authenticator;
  answerError: ReturnType<typeof createErrorAnswer>;
  timeoutMs: number;
}

interface AnyAnswer {
  status: number;
  body?: unknown;
  csv?: AsyncIterable<string>;
}

/** Registers every route of the contract: who may, what is read, what is answered. */
export function bindRoutes(app: FastifyInstance, deps: BindDeps): void {
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const spec: RouteSpec = ROUTES[name];
    const handler = deps.handlers[name] as unknown as Handler<RouteSpec>;
    for (const path of [spec.path, ...(spec.aliases ?? [])]) bindRoute(app, path, spec, handler, deps);
  }
}

function bindRoute(
  app: FastifyInstance,
  path: string,
  spec: RouteSpec,
  handler: Handler<RouteSpec>,
  { authenticator, answerError, timeoutMs }: BindDeps,
): void {
  const users = new WeakMap<FastifyRequest, User>();

  app.route({
    method: spec.method,
    url: path,
    // Before the body is read: what a stranger sends is not.
    onRequest: async (request) => {
      if (spec.who === 'anyone') return;
      const user = await authenticator.fromHeaders(request.headers, request.ip);
      if (spec.who === 'admin' && !user.isAdmin) throw new YeeterError('FORBIDDEN', 'Admins only.');
      users.set(request, user);
    },
    errorHandler: (error, request, reply) => answerError(error, request, reply, spec.faults ?? 'standard'),
    handler: async (request, reply) => {
      const read = readRequest(spec, request) as Pick<
        Parameters<typeof handler>[0],
        'params' | 'query' | 'body'
      >;
      const user = users.get(request) ?? null;
      // Routes for anyone are typed as having none.
      const call = { ...read, user: user as null, address: request.ip };
      return send(reply, spec, await within(timeoutMs, handler(call)));
    },
  });
}

async function send(reply: FastifyReply, spec: RouteSpec, answer: AnyAnswer): Promise<FastifyReply> {
  reply.code(answer.status);
  const { csv, body } = spec.answers[answer.status] ?? {};
  if (answer.csv) {
    const stream = await openCsvStream(answer.csv);
    reply.header('content-disposition', `attachment; filename="${csv ?? 'rows.csv'}"`);
    return reply.type('text/csv; charset=utf-8').send(stream);
  }
  return body === null ? reply.send() : reply.type('application/json; charset=utf-8').send(answer.body);
}
