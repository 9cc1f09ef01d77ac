import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import { type ErrorCode, toYeeterError, YeeterError } from '../../lib/errors.ts';
import { tlsFault } from '../../lib/tls-fault.ts';
import { VERSION } from '../../lib/version.ts';
import { answerError } from './answer-error.ts';
import { printable } from './printable.ts';

export type Credentials = { kind: 'token' | 'api_key'; value: string } | null;

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface ApiRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From `/api` on. */
  path: string;
  /** What is null or undefined is left out. */
  query?: Query;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/**
 * Talks to one server. Every method throws
 * `UNAUTHENTICATED` for a 401, `SERVER_REFUSED` for any other answer of 400 or above, `SERVER_ANSWER` for what is no
 * answer of a Yeeter server, `CONNECT_REFUSED`, `CONNECT_TIMEOUT`, `NAME_NOT_FOUND`, `CONNECT_FAILED` or `TLS_FAILED`
 * when it cannot be reached, and `CANCELLED` when the signal aborts.
 */
export interface ApiClient {
  readonly apiUrl: string;
  readonly insecure: boolean;
  readonly credentials: Credentials;
  /** @param answer the form that the answer must have; what is not JSON counts as null */
  json<Schema extends z.ZodType>(answer: Schema, request: ApiRequest): Promise<z.output<Schema>>;
  /** The bytes of an answer as they come. */
  download(request: ApiRequest): Promise<http.IncomingMessage>;
}

export interface ApiClientOptions {
  /** With or without a path in front of `/api`, without a slash at its end. */
  apiUrl: string;
  /** Takes any certificate. */
  insecure: boolean;
  credentials: Credentials;
  /** Silence that counts as no answer. @default 35000, since servers answer within 30 s */
  silenceMs?: number;
}

const SILENCE_MS = 35_000;
/** A server that keeps connections closes those that idle; asking once more then is not asking twice. */
const STALE = new Set(['ECONNRESET', 'EPIPE']);

export function createApiClient(options: ApiClientOptions): ApiClient {
  const { apiUrl, insecure, credentials, silenceMs = SILENCE_MS } = options;
  const isTls = apiUrl.startsWith('https:');
  const agent = isTls
    ? new https.Agent({ keepAlive: true, rejectUnauthorized: !insecure })
    : new http.Agent({ keepAlive: true });
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': `yeeter/${VERSION}` };
  if (credentials?.kind === 'token') headers.authorization = `Bearer ${credentials.value}`;
  if (credentials?.kind === 'api_key') headers['x-api-key'] = credentials.value;

  const send = (request: ApiRequest): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { method = 'GET', path, query = {}, body, signal } = request;
      const payload = body === undefined ? null : JSON.stringify(body);
      const url = `${apiUrl}${path}${queryText(query)}`;
      const sent = (isTls ? https : http).request(url, {
        method,
        agent,
        headers:
          payload === null
            ? headers
            : {
                ...headers,
                'content-type': 'application/json',
                'content-length': Buffer.byteLength(payload),
              },
        ...(signal ? { signal } : {}),
      });
      sent.setTimeout(silenceMs, () => sent.destroy(silence(apiUrl, silenceMs)));
      sent.on('response', (answer) => {
        answer.on('error', () => {});
        resolve(answer);
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        if (method === 'GET' && sent.reusedSocket && STALE.has(error.code ?? '')) {
          send(request).then(resolve, reject);
        } else reject(signal?.aborted ? cancelled() : unreachable(error, apiUrl));
      });
      sent.end(payload);
    });

  const bodyOf = async (answer: http.IncomingMessage, signal?: AbortSignal): Promise<string> => {
    try {
      return await text(answer);
    } catch (error) {
      throw signal?.aborted ? cancelled() : unreachable(error as Error, apiUrl);
    }
  };

  const accepted = async (request: ApiRequest): Promise<http.IncomingMessage> => {
    const answer = await send(request);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    const { method = 'GET', path, signal } = request;
    const body = await bodyOf(answer, signal);
    if (status >= 400) throw answerError({ method, path, status, body });
    const to = printable(answer.headers.location ?? '').slice(0, 200);
    throw new YeeterError(
      'SERVER_ANSWER',
      `${apiUrl} answers ${status}${to && ` and points to ${to}`}: give the address of the server itself by --api-url`,
    );
  };

  return {
    apiUrl,
    insecure,
    credentials,
    download: accepted,
    json: async (schema, request) => {
      const body = await bodyOf(await accepted(request), request.signal);
      const { success, data, error } = schema.safeParse(jsonOf(body));
      if (success) return data;
      const [issue] = error.issues;
      throw new YeeterError(
        'SERVER_ANSWER',
        `the answer of ${apiUrl} to ${request.method ?? 'GET'} ${request.path} is not that of a Yeeter server ` +
          `(${issue?.path.join('.') || 'answer'}: ${issue?.message}): check --api-url`,
      );
    },
  };
}

function queryText(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) given.set(name, String(value));
  }
  return given.size === 0 ? '' : `?${given}`;
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function cancelled(): YeeterError {
  return new YeeterError('CANCELLED', 'the request was ended because the command was asked to stop');
}

function silence(apiUrl: string, silenceMs: number): YeeterError {
  const seconds = Math.round(silenceMs / 1000);
  return new YeeterError(
    'CONNECT_TIMEOUT',
    `${apiUrl} said nothing for ${seconds} s: look at the server's log`,
  );
}

const NOT_FOUND = new Set(['ENOTFOUND', 'EAI_AGAIN']);

/** Why a server could not be reached, and what to do. @returns a `YeeterError` that is retryable unless it is TLS */
export function unreachable(error: NodeJS.ErrnoException, apiUrl: string): YeeterError {
  if (error instanceof YeeterError) return error;
  const errno = error.code ?? '';
  const fault = (code: ErrorCode, message: string): YeeterError =>
    new YeeterError(code, `${apiUrl}: ${message}`, { cause: error });
  if (errno === 'ECONNREFUSED') {
    return fault(
      'CONNECT_REFUSED',
      'nothing listens there: is "yeeter serve" running? Otherwise check --api-url',
    );
  }
  if (errno === 'ETIMEDOUT') return fault('CONNECT_TIMEOUT', 'no answer: check --api-url and the firewall');
  if (NOT_FOUND.has(errno)) return fault('NAME_NOT_FOUND', 'the host name does not resolve: check --api-url');
  const tls = tlsFault(errno);
  if (tls) {
    const hint =
      tls === 'certificate'
        ? 'its certificate is not trusted: add --insecure when the server is yours and the certificate self-signed'
        : 'it does not speak TLS: does the address begin with http://?';
    return fault('TLS_FAILED', `${hint} (${errno})`);
  }
  return fault('CONNECT_FAILED', `the connection broke (${errno || toYeeterError(error).message})`);
}
