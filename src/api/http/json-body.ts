import type { FastifyInstance } from 'fastify';
import { YeeterError } from '../../lib/errors.ts';

/** Deeper values would exhaust the stack of whoever writes them as JSON again. */
const MAX_DEPTH = 100;

function isDeeperThan(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(depth - 1, inner));
}

/** Bodies are JSON; an empty one counts as {}, whatever its type says. */
export function readJsonBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body);
    if (text.trim() === '') return done(null, {});
    void parseJson(request, text, (error, value) => {
      if (!error && isDeeperThan(MAX_DEPTH, value))
        done(new YeeterError('REQUEST_MALFORMED', `the body is nested deeper than ${MAX_DEPTH} levels`));
      else done(error, value);
    });
  });
}
