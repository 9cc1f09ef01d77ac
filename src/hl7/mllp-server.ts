import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { type Failure, failure, networkError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { createFrameDecoder, DEFAULT_MAX_FRAME_BYTES, frame } from './mllp-codec.ts';

/** The server's side of one connection, for answers that do not follow the usual way. */
export interface MllpPeer {
  /** Counts from 1 in the order of arrival. */
  readonly id: number;
  readonly remoteAddress: string;
  readonly isOpen: boolean;
  /** Writes bytes as they are, outside of the order of replies. */
  writeRaw(bytes: Buffer): void;
  /** Writes bytes as they are, then closes. */
  end(bytes: Buffer): void;
}

/** The messages that answer one; null or none for silence. */
export type MllpReply = Buffer | readonly Buffer[] | null;

export interface MllpServerOptions {
  /** 127.0.0.1 unless set. */
  host?: string;
  /** 0, any free port, unless set. */
  port?: number;
  /** Answers a message. Replies leave in the order of their messages. */
  onMessage(message: Buffer, peer: MllpPeer): MllpReply | Promise<MllpReply>;
  /** Told why a connection was ended by this side or broke: garbage, an oversized frame, a failed handler. */
  onFault?: (fault: Failure, peer: MllpPeer) => void;
  /** 16 MiB unless set. */
  maxFrameBytes?: number;
  /** Key and certificate of `tls.createServer`; plain TCP unless set. */
  tls?: TlsOptions | null;
}

export interface MllpServer extends Closeable {
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
}

/** Replies that wait for an earlier one; `undefined` while the handler is still at work. */
interface Slot {
  reply: MllpReply | undefined;
}

interface ConnectionDeps {
  socket: Socket;
  id: number;
  options: MllpServerOptions;
}

function serveConnection({ socket, id, options }: ConnectionDeps): void {
  const slots: Slot[] = [];
  /** Replies of the chunk being read: they leave together, in one write. */
  let outbox: Buffer[] = [];
  const remoteAddress = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
  const peer: MllpPeer = {
    id,
    remoteAddress,
    get isOpen() {
      return !socket.destroyed;
    },
    writeRaw: (bytes) => {
      if (socket.writable) socket.write(bytes);
    },
    end: (bytes) => {
      if (socket.writable) socket.end(bytes);
    },
  };

  function fault(why: Failure): void {
    if (socket.destroyed) return;
    socket.destroy();
    options.onFault?.(why, peer);
  }

  function flush(): void {
    if (outbox.length === 0) return;
    peer.writeRaw(outbox.length === 1 ? outbox[0]! : Buffer.concat(outbox));
    outbox = [];
  }

  function put(reply: MllpReply): void {
    if (Buffer.isBuffer(reply)) outbox.push(frame(reply));
    else if (reply !== null) for (const message of reply) outbox.push(frame(message));
  }

  function releaseSlots(): void {
    while (slots.length > 0 && slots[0]!.reply !== undefined) put(slots.shift()!.reply ?? null);
    flush();
  }

  function answerLater(promise: Promise<MllpReply>): void {
    const slot: Slot = { reply: undefined };
    slots.push(slot);
    promise.then(
      (reply) => {
        slot.reply = reply;
        releaseSlots();
      },
      (error: unknown) => fault(handlerFault(error)),
    );
  }

  function onFrame(message: Buffer): void {
    if (socket.destroyed) return;
    try {
      const reply = options.onMessage(message, peer);
      if (reply instanceof Promise) answerLater(reply);
      else if (slots.length > 0) slots.push({ reply });
      else put(reply);
    } catch (error) {
      fault(handlerFault(error));
    }
  }

  const decoder = createFrameDecoder(
    {
      maxFrameBytes: options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES,
      onGarbage: (bytes) =>
        fault(
          failure('MLLP_GARBAGE', `${remoteAddress} sent ${bytes.length} bytes outside of an MLLP frame`),
        ),
      onTooLarge: (max) =>
        fault(failure('MLLP_FRAME_TOO_LARGE', `${remoteAddress} sent a frame longer than ${max} bytes`)),
    },
    onFrame,
  );
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    decoder.push(chunk);
    flush();
    // A peer that does not read its replies is not read either.
    if (socket.writableNeedDrain) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', (error) => fault(failure('MLLP_CLOSED', `${remoteAddress}: ${error.message}`)));
  socket.on('end', () => {
    if (decoder.inFrame) fault(failure('MLLP_CLOSED', `${remoteAddress} closed in the middle of a frame`));
  });
}

function handlerFault(error: unknown): Failure {
  return failure('INTERNAL', error instanceof Error ? error.message : String(error));
}

/**
 * Listens for MLLP connections and answers each message in order, all replies of one read in one write.
 * @throws YeeterError PORT_IN_USE, or CONNECT_FAILED when the address cannot be listened on
 */
export async function createMllpServer(options: MllpServerOptions): Promise<MllpServer> {
  const { host = '127.0.0.1', port = 0 } = options;
  const sockets = new Set<Socket>();
  let accepted = 0;
  const onConnection = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection({ socket, id: ++accepted, options });
  };
  const server = options.tls ? createTlsServer(options.tls, onConnection) : createServer(onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(networkError(error, `MLLP listener ${host}:${port}`)));
    server.listen({ host, port }, resolve);
  });
  // A TLS handshake that fails is its client's affair.
  server.on('tlsClientError', () => {});
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
    return closing;
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
