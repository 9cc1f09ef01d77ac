import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, toYeeterError, YeeterError } from '../../lib/errors.ts';
import { redact } from '../../lib/redact.ts';
import type { FaultStyle } from '../contract/route.ts';
import { RequestFaults, TooManyRequests } from './refusals.ts';
import { statusOf } from './statuses.ts';

/** What a client is told of faults that are the server's own; what they were is for the log. */
const OURS: Partial<Record<ErrorCode, string>> = {
  INTERNAL: 'a fault of the server, which is in its log: please report it',
  STORAGE_FAILED: 'the database cannot do this at the moment: try again, and look at the log of the server',
};

/** What Fastify refuses before a handler is asked. */
function fromFramework(error: FastifyError): YeeterError | null {
  const { statusCode, code, message } = error;
  if (statusCode === undefined || statusCode >= 500) return null;
  if (statusCode === 413 || statusCode === 414 || statusCode === 431)
    return new YeeterError('REQUEST_TOO_LARGE', 'the request is larger than the server takes: send less');
  if (statusCode === 415)
    return new YeeterError('REQUEST_MALFORMED', 'send the body as JSON, with content-type: application/json');
  const hint = code === 'FST_ERR_CTP_INVALID_JSON_BODY' ? 'the body is not JSON' : message;
  return new YeeterError('REQUEST_MALFORMED', `the request cannot be read: ${hint}`);
}

function known(error: unknown): YeeterError {
  if (error instanceof YeeterError) return error;
  const framework =
    error instanceof Error && 'statusCode' in error ? fromFramework(error as FastifyError) : null;
  return framework ?? toYeeterError(error);
}

interface Refusal {
  status: number;
  body: Record<string, unknown>;
}

/** The status and body of a refusal, in the shape that the route's clients know. */
export function refusalOf(error: YeeterError, style: FaultStyle): Refusal {
  const { code } = error;
  const message = OURS[code] ?? redact(error.message);
  const status = statusOf(code);
  if (error instanceof RequestFaults) {
    if (style === 'tools') return { status, body: { status: 'error', message: error.faults, code } };
    if (style === 'standard') return { status, body: { error: error.faults, message, code } };
    return { status: 400, body: { ...(style === 'users' ? { msg: message } : {}), error: message, code } };
  }
  if (style === 'users') return { status, body: { msg: message, error: message, code } };
  if (style === 'scaling' && code === 'CONFIG_INVALID')
    return { status: 400, body: { error: message, code } };
  if (style === 'tools') return { status, body: { status: 'error', message, error: message, code } };
  return { status, body: { error: message, code } };
}

/** Answers every fault with JSON, and logs those that are the server's own. */
export function createErrorAnswer(log: (line: string) => void) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply, style: FaultStyle): FastifyReply => {
    const error = known(thrown);
    const { status, body } = refusalOf(error, style);
    if (status >= 500 && OURS[error.code]) {
      const cause = error.cause instanceof Error ? error.cause : error;
      log(
        `${request.method} ${request.url.split('?')[0]}: ${error.code}: ${redact(cause.stack ?? cause.message)}`,
      );
    }
    if (error instanceof TooManyRequests) reply.header('retry-after', error.retryAfterSeconds);
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    return reply.code(status).send(body);
  };
}
