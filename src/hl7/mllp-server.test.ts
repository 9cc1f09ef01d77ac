import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { YeeterError } from '../lib/errors.ts';
import { createFrameDecoder, frame } from './mllp-codec.ts';
import { createMllpServer, type MllpServer } from './mllp-server.ts';

/** A bare client: what it receives, split into reads and into frames. */
async function client(server: MllpServer) {
  const socket: Socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  const frames: string[] = [];
  const chunks: Buffer[] = [];
  const decoder = createFrameDecoder({}, (message) => frames.push(message.toString()));
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    decoder.push(chunk);
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, frames, chunks };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}

const framed = (...messages: string[]): Buffer => Buffer.concat(messages.map((m) => frame(Buffer.from(m))));

describe('the MLLP server', () => {
  it('answers every message of one read in one write', async () => {
    await using server = await createMllpServer({ onMessage: (m) => Buffer.from(`re ${m}`) });
    const { socket, frames, chunks } = await client(server);
    socket.write(framed('a', 'b', 'c'));
    await until(() => frames.length === 3);
    assert.deepEqual(frames, ['re a', 're b', 're c']);
    assert.equal(chunks.length, 1);
    socket.destroy();
  });

  it('keeps replies in the order of their messages when a handler takes its time', async () => {
    await using server = await createMllpServer({
      onMessage: (m) => (m.toString() === 'slow' ? sleep(20).then(() => Buffer.from('1')) : Buffer.from('2')),
    });
    const { socket, frames } = await client(server);
    socket.write(framed('slow', 'fast'));
    await until(() => frames.length === 2);
    assert.deepEqual(frames, ['1', '2']);
    socket.destroy();
  });

  it('sends nothing for a null reply', async () => {
    await using server = await createMllpServer({
      onMessage: (m) => (m.toString() === 'quiet' ? null : Buffer.from('loud')),
    });
    const { socket, frames } = await client(server);
    socket.write(framed('quiet', 'x'));
    await until(() => frames.length === 1);
    assert.deepEqual(frames, ['loud']);
    socket.destroy();
  });

  it('ends a connection that sends garbage, too long a frame, or makes the handler fail, and says why', async () => {
    const faults: string[] = [];
    await using server = await createMllpServer({
      maxFrameBytes: 16,
      onMessage: (m) => {
        if (m.toString() === 'reject') return Promise.reject(new Error('rejected'));
        throw new Error('thrown');
      },
      onFault: (fault) => faults.push(fault.code),
    });
    for (const bytes of [Buffer.from('GET /'), framed('x'.repeat(17)), framed('throw'), framed('reject')]) {
      const { socket } = await client(server);
      const closed = once(socket, 'close');
      socket.write(bytes);
      await closed;
    }
    assert.deepEqual(faults, ['MLLP_GARBAGE', 'MLLP_FRAME_TOO_LARGE', 'INTERNAL', 'INTERNAL']);
    await until(() => server.connections === 0);
  });

  it('reports a frame that its peer cut short', async () => {
    const faults: string[] = [];
    await using server = await createMllpServer({
      onMessage: () => null,
      onFault: (fault) => faults.push(fault.message.replace(/^[^ ]+ /, '')),
    });
    const { socket } = await client(server);
    socket.end(framed('abc').subarray(0, 3));
    await until(() => faults.length === 1);
    assert.deepEqual(faults, ['closed in the middle of a frame']);
  });

  it('says when its port is taken', async () => {
    await using server = await createMllpServer({ onMessage: () => null });
    await assert.rejects(
      createMllpServer({ port: server.port, onMessage: () => null }),
      (error) => error instanceof YeeterError && error.code === 'PORT_IN_USE',
    );
  });

  it('closes twice without complaint and takes its connections along', async () => {
    const server = await createMllpServer({ onMessage: () => null });
    const { socket } = await client(server);
    await until(() => server.connections === 1);
    const closed = once(socket, 'close');
    await Promise.all([server.close(), server.close(), closed]);
  });
});
