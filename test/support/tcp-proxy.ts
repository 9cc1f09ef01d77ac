import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Closeable } from '../../src/lib/lifecycle.ts';

/** Stands between a client and a loopback port, to cut what passes. */
export interface TcpProxy extends Closeable {
  readonly port: number;
  /** Connections made through it so far. */
  readonly connections: number;
  /** Connections that were open at the same time, at most. */
  readonly mostAtOnce: number;
  /** Destroys all connections, both sides. */
  cut(): void;
  /** Lets nothing more pass, either way, on the connections there are. */
  stall(): void;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let open = 0;
  let mostAtOnce = 0;
  const server = createServer((client) => {
    connections++;
    open++;
    mostAtOnce = Math.max(mostAtOnce, open);
    client.once('close', () => open--);
    const target = connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const stall = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  const close = async (): Promise<void> => {
    cut();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    cut,
    stall,
    close,
    [Symbol.asyncDispose]: close,
  };
}
