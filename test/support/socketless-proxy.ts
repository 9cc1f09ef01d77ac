import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Closeable } from '../../src/lib/lifecycle.ts';

/** Passes HTTP on to a server, and refuses Socket.IO as some corporate proxies do. */
export async function startSocketlessProxy(target: string): Promise<Closeable & { url: string }> {
  const server = createServer((incoming, response) => {
    if (incoming.url?.startsWith('/socket.io')) {
      response.writeHead(403).end('no sockets here');
      return;
    }
    const onward = request(`${target}${incoming.url}`, {
      method: incoming.method,
      headers: incoming.headers,
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  server.on('upgrade', (_, socket) => socket.destroy());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close,
    [Symbol.asyncDispose]: close,
  };
}
