import { connect as connectTcp, isIP, Socket, type SocketConstructorOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** Bytes `[0, length)` of `chunk`, valid only during the call; false pauses until `socket.resume()`. */
export type Receive = (chunk: Buffer, length: number) => boolean;

export interface ConnectOptions {
  host: string;
  port: number;
  /** TLS as of PS3.15 Annex B when set. */
  tls?: ConnectionOptions | undefined;
}

/** Responses are small; a larger answer takes several reads. */
const READ_BUFFER_BYTES = 16_384;

/** Connects with Nagle's algorithm off and one read buffer for the connection's life. */
export function connectTransport(options: ConnectOptions, receive: Receive, onOpen: () => void): Socket {
  const { host, port, tls } = options;
  const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  const onread = { buffer, callback: (length: number): boolean => receive(buffer, length) };
  if (tls === undefined) return connectTcp({ host, port, noDelay: true, onread }, onOpen);
  // An address is no server name (RFC 6066 section 3).
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ ...servername, ...tls, host, port }, onOpen);
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    if (!receive(chunk, chunk.length)) socket.pause();
  });
  return socket;
}

interface HandleOwner {
  _handle?: { useUserBuffer?: unknown } | null;
}

/**
 * Reads a paused accepted socket into `buffer`. `net.connect` has `onread` for that and `net.Server` has not: its
 * sockets allocate 64 kB for each read, which halves the speed of a storage receiver. So the accepted socket's
 * handle moves to a socket made with `onread`; where the runtime has no such handle, 'data' events serve.
 * @param buffer may be shared by many sockets, since it is read before the next read begins
 */
export function adoptTransport(accepted: Socket, buffer: Buffer, receive: Receive): Socket {
  const owner = accepted as unknown as HandleOwner;
  const handle = owner._handle;
  if (typeof handle?.useUserBuffer !== 'function') {
    accepted.on('data', (chunk: Buffer) => {
      if (!receive(chunk, chunk.length)) accepted.pause();
    });
    accepted.resume();
    return accepted;
  }
  const options: Omit<SocketConstructorOpts, 'handle'> & { handle: object } = {
    handle,
    readable: true,
    writable: true,
    onread: { buffer, callback: (length: number): boolean => receive(buffer, length) },
  };
  owner._handle = null;
  const socket = new Socket(options as SocketConstructorOpts);
  // The server counts the accepted socket, and closes when that one has.
  socket.once('close', () => accepted.destroy());
  return socket;
}
