import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Closeable } from '../../src/lib/lifecycle.ts';

export interface ReceivedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage['headers'];
  /** Parsed JSON; null without a body. */
  body: unknown;
}

export interface FakeAnswer {
  /** @default 200 */
  status?: number;
  json?: unknown;
  /** In place of `json`. */
  text?: string;
  headers?: Record<string, string>;
  /** Called in place of answering. */
  raw?: (response: ServerResponse) => void;
}

/** Answers by `METHOD /path`; what is not there is a 404 as the contract has it. */
export type FakeRoutes = Record<string, FakeAnswer | ((request: ReceivedRequest) => FakeAnswer)>;

/** A server with the answers of the wire contract that a test gives it. */
export interface FakeApi extends Closeable {
  readonly url: string;
  readonly server: Server;
  readonly requests: ReceivedRequest[];
  routes: FakeRoutes;
}

export async function startFakeApi(
  routes: FakeRoutes = {},
  tls?: { key: string; cert: string },
): Promise<FakeApi> {
  const requests: ReceivedRequest[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://fake');
    if (url.pathname.includes('/socket.io')) return;
    const method = request.method ?? '';
    const content = await text(request);
    const received = {
      method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: content === '' ? null : (JSON.parse(content) as unknown),
    };
    requests.push(received);
    const route = api.routes[`${method} ${url.pathname}`] ?? {
      status: 404,
      json: { error: `there is no ${url.pathname}`, code: 'NOT_FOUND' },
    };
    const answer = typeof route === 'function' ? route(received) : route;
    if (answer.raw) return answer.raw(response);
    const isText = answer.text !== undefined;
    response.writeHead(answer.status ?? 200, {
      'content-type': isText ? 'text/csv' : 'application/json',
      ...answer.headers,
    });
    response.end(isText ? answer.text : answer.json === undefined ? '' : JSON.stringify(answer.json));
  };
  const server = tls ? createTlsServer(tls) : createServer();
  server.on('request', (request, response) => void handle(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const api: FakeApi = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    server,
    requests,
    routes,
    close,
    [Symbol.asyncDispose]: close,
  };
  return api;
}
