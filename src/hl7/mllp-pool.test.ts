import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AckCode, buildAck, readHeader } from './ack.ts';
import { createFrameDecoder, frame } from './mllp-codec.ts';
import { type ApplicationAck, createMllpPool, type MllpPoolOptions, type MllpResult } from './mllp-pool.ts';
import { createMllpServer } from './mllp-server.ts';

const order = (controlId: string, tail = ''): Buffer =>
  Buffer.from(`MSH|^~\\&|RIS|W|PACS|R|1||ORM^O01|${controlId}|T|2.4${tail}\rPID|1||${controlId}\r`);
const enhanced = (controlId: string): Buffer => order(controlId, '|||AL|AL');
const ackOf = (message: Buffer, code: AckCode, answeredId?: string): Buffer =>
  frame(buildAck(message, code, answeredId === undefined ? {} : { answeredId }));

/** A peer that does what the test says with each message; `n` counts its messages, `connection` its sockets. */
async function fakePeer(onMessage: (message: Buffer, socket: Socket, n: number, connection: number) => void) {
  let messages = 0;
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => {});
    const decoder = createFrameDecoder({}, (message) => onMessage(message, socket, ++messages, connection));
    socket.on('data', (chunk) => decoder.push(chunk));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

const poolTo = (peer: { port: number }, options: Partial<MllpPoolOptions> = {}) =>
  createMllpPool({ host: '127.0.0.1', port: peer.port, ...options });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}

function codeOf(result: MllpResult): string {
  return result.code;
}

function failed(result: MllpResult): Extract<MllpResult, { ok: false }> {
  assert.equal(result.ok, false);
  return result as Extract<MllpResult, { ok: false }>;
}

describe('a send over MLLP', () => {
  it('ends well with AA and says how long the wire took', async () => {
    await using peer = await fakePeer((m, s) => s.write(ackOf(m, 'AA')));
    await using pool = poolTo(peer);
    const result = await pool.send(order('M1'), { controlId: 'M1' });
    assert.ok(result.ok && result.serviceUs > 0);
    assert.equal(result.code, 'AA');
    assert.match(result.ack.toString(), /\rMSA\|AA\|M1\r$/);
  });

  it('fails with the code and the reason of AE, AR, CE and CR', async () => {
    for (const [code, error, retryable] of [
      ['AE', 'MLLP_NAK_ERROR', true],
      ['AR', 'MLLP_NAK_REJECT', false],
      ['CE', 'MLLP_NAK_ERROR', true],
      ['CR', 'MLLP_NAK_REJECT', false],
    ] as const) {
      await using peer = await fakePeer((m, s) =>
        s.write(frame(buildAck(m, code, { text: 'no such ward' }))),
      );
      await using pool = poolTo(peer);
      const result = failed(await pool.send(order('M1')));
      assert.deepEqual([result.code, result.retryable, result.ackCode], [error, retryable, code]);
      assert.equal(
        result.message,
        `MLLP endpoint 127.0.0.1:${peer.port}: ${code} for message M1: no such ward`,
      );
      assert.ok(result.ack !== null && result.serviceUs !== null);
      assert.equal(codeOf(await pool.send(order('M2'))), error, 'a refusal leaves the connection usable');
      assert.equal(pool.stats().connectionsOpened, 1);
    }
  });

  it('reads an ACK that comes byte by byte', async () => {
    await using peer = await fakePeer(async (m, s) => {
      for (const byte of ackOf(m, 'AA')) {
        s.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await using pool = poolTo(peer);
    for (const id of ['A', 'B']) assert.equal(codeOf(await pool.send(order(id))), 'AA');
  });

  it('refuses the ACK of another message and trusts that connection no longer', async () => {
    await using peer = await fakePeer((m, s, n) => s.write(ackOf(m, 'AA', n === 1 ? 'OTHER' : undefined)));
    await using pool = poolTo(peer);
    const result = failed(await pool.send(order('M1')));
    assert.equal(result.code, 'MLLP_WRONG_ACK');
    assert.match(result.message, /waited for the ACK of "M1", got AA for message "OTHER"/);
    assert.equal(codeOf(await pool.send(order('M2'))), 'AA');
    assert.equal(pool.stats().connectionsOpened, 2);
  });

  it('tells garbage in a frame, garbage without a frame and a message that is no ACK apart from an answer', async () => {
    for (const [reply, text] of [
      [frame(Buffer.from('hello')), /the reply is no acknowledgement: "hello"/],
      [
        Buffer.from('HTTP/1.1 400 Bad Request\r\n'),
        /bytes outside of an MLLP frame: "HTTP\/1\.1 400 Bad Request/,
      ],
      [frame(order('X')), /no acknowledgement: "MSH/],
      [frame(Buffer.alloc(0)), /no acknowledgement: ""/],
    ] as const) {
      await using peer = await fakePeer((_, s) => s.write(reply));
      await using pool = poolTo(peer);
      const result = failed(await pool.send(order('M1')));
      assert.equal(result.code, 'MLLP_GARBAGE');
      assert.match(result.message, text);
    }
  });

  it('says whether the peer closed before the ACK or in the middle of it', async () => {
    for (const [bytes, text] of [
      [0, /the peer closed the connection before the ACK/],
      [20, /the peer closed the connection in the middle of the ACK/],
    ] as const) {
      await using peer = await fakePeer((m, s) => s.end(ackOf(m, 'AA').subarray(0, bytes)));
      await using pool = poolTo(peer);
      const result = failed(await pool.send(order('M1')));
      assert.deepEqual([result.code, result.retryable], ['MLLP_CLOSED', true]);
      assert.match(result.message, text);
    }
  });

  it('says when the peer reset the connection', async () => {
    await using peer = await fakePeer((_, s) => s.resetAndDestroy());
    await using pool = poolTo(peer);
    const result = failed(await pool.send(order('M1')));
    assert.equal(result.code, 'MLLP_CLOSED');
    assert.match(result.message, /the connection broke \(.*ECONNRESET.*\) before the ACK/);
  });

  it('gives up on a silent peer, and a late ACK meets nobody', async () => {
    const late: Array<() => void> = [];
    await using peer = await fakePeer((m, s, n) => {
      // The second message bears the id of the first, as a retry does: only the connection tells them apart.
      if (n === 1) late.push(() => s.write(ackOf(m, 'AA')));
      else s.write(ackOf(m, 'AE'));
    });
    await using pool = poolTo(peer, { responseTimeoutMs: 300 });
    const first = failed(await pool.send(order('M1')));
    assert.deepEqual([first.code, first.retryable, first.ack], ['MLLP_TIMEOUT', true, null]);
    assert.ok(first.serviceUs !== null && first.serviceUs >= 300_000);
    const second = pool.send(order('M1'));
    for (const write of late) write();
    assert.equal(codeOf(await second), 'MLLP_NAK_ERROR');
  });

  it('takes no second ACK in one segment for the next message', async () => {
    await using peer = await fakePeer((m, s, n) => {
      const id = readHeader(m)!.controlId;
      // The surplus ACK bears the id of the message that waits behind.
      if (n === 1) s.write(Buffer.concat([ackOf(m, 'AA'), ackOf(m, 'AA', 'M2')]));
      else s.write(ackOf(m, 'AE', id));
    });
    await using pool = poolTo(peer);
    const results = await Promise.all([pool.send(order('M1')), pool.send(order('M2'))]);
    assert.deepEqual(results.map(codeOf), ['AA', 'MLLP_NAK_ERROR']);
    assert.deepEqual([pool.stats().strayReplies, pool.stats().connectionsOpened], [1, 2]);
  });

  it('refuses a reply longer than the limit', async () => {
    await using peer = await fakePeer((_, s) => s.write(frame(Buffer.alloc(2000, 0x41))));
    await using pool = poolTo(peer, { maxFrameBytes: 1000 });
    const result = failed(await pool.send(order('M1')));
    assert.equal(result.code, 'MLLP_FRAME_TOO_LARGE');
    assert.match(result.message, /the reply is longer than 1000 bytes/);
  });

  it('says when nothing listens there, for all that wait and at once', async () => {
    const gone = await createMllpServer({ onMessage: () => null });
    await gone.close();
    await using pool = poolTo(gone);
    const results = await Promise.all(['1', '2', '3'].map((id) => pool.send(order(id), { key: 'same' })));
    for (const result of results) {
      assert.deepEqual([codeOf(result), failed(result).serviceUs], ['CONNECT_REFUSED', null]);
    }
  });

  it('says when the name of the host is not found', async () => {
    await using pool = createMllpPool({ host: 'no-such-host.invalid', port: 2575 });
    const result = failed(await pool.send(order('M1')));
    assert.equal(result.code, 'NAME_NOT_FOUND');
    assert.match(result.message, /no-such-host\.invalid:2575/);
  });

  it('opens a new connection when the peer closed the one before between messages', async () => {
    await using peer = await fakePeer((m, s) => s.write(ackOf(m, 'AA')));
    await using pool = poolTo(peer);
    await pool.send(order('M1'));
    for (const socket of peer.sockets) socket.end();
    await until(() => pool.stats().connectionsOpen === 0);
    assert.equal(codeOf(await pool.send(order('M2'))), 'AA');
    assert.equal(pool.stats().connectionsOpened, 2);
  });

  it('refuses what MLLP cannot carry or nobody would answer, before it is written', async () => {
    await using pool = createMllpPool({ host: '127.0.0.1', port: 1 });
    for (const [message, text] of [
      [Buffer.from('PID|1\r'), /does not begin with an MSH/],
      [Buffer.concat([order('M'), Buffer.from([0x1c, 0x0d])]), /VT \(0x0B\) or FS/],
      [order('M', '|||NE|NE'), /asks for no answer when it is accepted \(MSH-15 NE, MSH-16 NE\)/],
      [order('M', '|||ER'), /MSH-15 ER, MSH-16 NE/],
    ] as const) {
      const result = failed(await pool.send(message));
      assert.deepEqual([result.code, result.serviceUs], ['MLLP_UNSENDABLE', null]);
      assert.match(result.message, text);
    }
  });
});

describe('the enhanced mode', () => {
  it('ends the send with CA, and the later application ACK is told apart from the next commit ACK', async () => {
    const told: ApplicationAck[] = [];
    const earlier: Buffer[] = [];
    await using peer = await fakePeer((m, s) => {
      // The application ACK of the message before arrives ahead of this one's commit ACK, in the same segment.
      const before = earlier.splice(0).map((b) => ackOf(b, 'AE'));
      s.write(Buffer.concat([...before, ackOf(m, 'CA')]));
      earlier.push(m);
    });
    await using pool = poolTo(peer, { onApplicationAck: (ack) => told.push(ack) });
    for (const id of ['E1', 'E2', 'E3']) assert.equal(codeOf(await pool.send(enhanced(id))), 'CA');
    assert.deepEqual(
      told.map(({ controlId, code }) => [controlId, code]),
      [
        ['E1', 'AE'],
        ['E2', 'AE'],
      ],
    );
    assert.ok(told.every((ack) => ack.latencyUs > 0));
    assert.equal(pool.stats().applicationAcksAwaited, 1);
    assert.equal(pool.stats().connectionsOpened, 1);
  });

  it('reads CA and the application ACK from one segment', async () => {
    const told: string[] = [];
    await using peer = await fakePeer((m, s) => s.write(Buffer.concat([ackOf(m, 'CA'), ackOf(m, 'AA')])));
    await using pool = poolTo(peer, { onApplicationAck: (ack) => told.push(ack.controlId) });
    for (const id of ['E1', 'E2']) assert.equal(codeOf(await pool.send(enhanced(id))), 'CA');
    assert.deepEqual([told, pool.stats().connectionsOpened, pool.stats().strayReplies], [['E1', 'E2'], 1, 0]);
  });

  it('lets an application ACK end the send when no commit ACK was asked for', async () => {
    await using peer = await fakePeer((m, s) => s.write(ackOf(m, 'AA')));
    await using pool = poolTo(peer);
    assert.equal(codeOf(await pool.send(order('E1', '|||NE|AL'))), 'AA');
    assert.equal(pool.stats().applicationAcksAwaited, 0);
  });

  it('commits an application ACK that asks for it', async () => {
    const commits: string[] = [];
    await using peer = await fakePeer((m, s) => {
      if (/\rMSA\|/.test(m.toString())) {
        commits.push(m.toString().split('\r')[1]!);
        return;
      }
      const application = Buffer.from('MSH|^~\\&|||||1||ACK|P77|T|2.4|||AL|NE\rMSA|AA|E1\r');
      s.write(Buffer.concat([ackOf(m, 'CA'), frame(application)]));
    });
    await using pool = poolTo(peer);
    await pool.send(enhanced('E1'));
    await until(() => commits.length === 1);
    assert.deepEqual(commits, ['MSA|CA|P77']);
  });

  it('counts application ACKs that never came', async () => {
    await using peer = await fakePeer((m, s) => s.write(ackOf(m, 'CA')));
    await using pool = poolTo(peer, { applicationAckTimeoutMs: 20 });
    await pool.send(enhanced('E1'));
    await until(() => pool.stats().applicationAcksMissed === 1);
    assert.equal(pool.stats().applicationAcksAwaited, 0);
  });
});

describe('the pool', () => {
  it('matches 10,000 sends over 8 connections', async () => {
    await using peer = await fakePeer((m, s) => s.write(ackOf(m, 'AA')));
    await using pool = poolTo(peer, { connections: 8 });
    const results = await Promise.all(
      Array.from({ length: 10_000 }, (_, i) => pool.send(order(`N${i}`), { key: i % 100 })),
    );
    for (const [i, result] of results.entries()) {
      assert.ok(result.ok);
      assert.ok(result.ack.toString().endsWith(`MSA|AA|N${i}\r`));
    }
    assert.deepEqual(pool.stats(), {
      connectionsOpened: 8,
      connectionsFailed: 0,
      strayReplies: 0,
      applicationAcks: 0,
      applicationAcksMissed: 0,
      connectionsOpen: 8,
      inFlight: 0,
      waiting: 0,
      applicationAcksAwaited: 0,
    });
  });

  it('never lets a message overtake another with its key, while other keys go on', async () => {
    const seen: string[] = [];
    const open: Array<() => void> = [];
    await using peer = await fakePeer((m, s) => {
      const id = readHeader(m)!.controlId;
      seen.push(id);
      if (id.startsWith('A')) open.push(() => s.write(ackOf(m, 'AA')));
      else s.write(ackOf(m, 'AA'));
    });
    await using pool = poolTo(peer, { connections: 4 });
    const slow = ['A1', 'A2', 'A3'].map((id) => pool.send(order(id), { key: 'A' }));
    await Promise.all(['B1', 'B2'].map((id) => pool.send(order(id), { key: 'B' })));
    await until(() => open.length === 1);
    assert.deepEqual([seen.toSorted(), pool.stats().waiting], [['A1', 'B1', 'B2'], 2]);
    for (let answered = 0; answered < 3; answered++) {
      await until(() => open.length > answered);
      open[answered]!();
    }
    assert.deepEqual((await Promise.all(slow)).map(codeOf), ['AA', 'AA', 'AA']);
    assert.deepEqual(
      seen.filter((id) => id.startsWith('A')),
      ['A1', 'A2', 'A3'],
    );
  });

  it('keeps the rest going when one message of a key fails', async () => {
    await using peer = await fakePeer((m, s, n) => (n === 1 ? s.destroy() : s.write(ackOf(m, 'AA'))));
    await using pool = poolTo(peer);
    const results = await Promise.all(['1', '2', '3'].map((id) => pool.send(order(id), { key: 'A' })));
    assert.deepEqual(results.map(codeOf), ['MLLP_CLOSED', 'AA', 'AA']);
  });

  it('opens only as many connections as are needed', async () => {
    await using peer = await fakePeer((m, s) => s.write(ackOf(m, 'AA')));
    await using pool = poolTo(peer, { connections: 8 });
    for (const id of ['1', '2', '3']) await pool.send(order(id));
    assert.equal(pool.stats().connectionsOpened, 1);
  });

  it('ends what an aborted signal names, written or waiting, and nothing else', async () => {
    await using peer = await fakePeer((m, s) => {
      if (readHeader(m)!.controlId !== 'silent') s.write(ackOf(m, 'AA'));
    });
    await using pool = poolTo(peer);
    const stop = new AbortController();
    const sends = [
      pool.send(order('silent'), { signal: stop.signal, key: 1 }),
      pool.send(order('lane'), { signal: stop.signal, key: 1 }),
      pool.send(order('queued'), { signal: stop.signal }),
      pool.send(order('other')),
      pool.send(order('behind'), { key: 1 }),
    ];
    await until(() => pool.stats().connectionsOpen === 1);
    stop.abort();
    const codes = (await Promise.all(sends)).map(codeOf);
    assert.deepEqual(codes, ['CANCELLED', 'CANCELLED', 'CANCELLED', 'AA', 'AA']);
    assert.equal(codeOf(await pool.send(order('late'), { signal: stop.signal })), 'CANCELLED');
  });

  it('closes twice, ends what is pending as cancelled, and sends nothing afterwards', async () => {
    await using peer = await fakePeer(() => {});
    const pool = poolTo(peer);
    const pending = ['1', '2'].map((id) => pool.send(order(id), { key: 1 }));
    await until(() => pool.stats().connectionsOpen === 1);
    await Promise.all([pool.close(), pool.close()]);
    assert.deepEqual((await Promise.all(pending)).map(codeOf), ['CANCELLED', 'CANCELLED']);
    assert.equal(codeOf(await pool.send(order('3'))), 'CANCELLED');
  });
});

describe('MLLP over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'yeeter-tls-'));
  const keyFile = join(folder, 'key.pem');
  const certFile = join(folder, 'cert.pem');
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ${keyFile} -out ${certFile} -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  );
  const [key, cert] = [readFileSync(keyFile), readFileSync(certFile)];
  rmSync(folder, { recursive: true });

  it('carries messages when the certificate is trusted', async () => {
    await using server = await createMllpServer({ tls: { key, cert }, onMessage: (m) => buildAck(m, 'AA') });
    await using pool = poolTo(server, { tls: { ca: cert } });
    for (const id of ['1', '2']) assert.equal(codeOf(await pool.send(order(id))), 'AA');
    assert.equal(pool.stats().connectionsOpened, 1);
  });

  it('fails for good, with the reason, when the certificate is not trusted', async () => {
    await using server = await createMllpServer({ tls: { key, cert }, onMessage: (m) => buildAck(m, 'AA') });
    await using pool = poolTo(server, { tls: {} });
    const result = failed(await pool.send(order('1')));
    assert.deepEqual([result.code, result.retryable], ['TLS_FAILED', false]);
    assert.match(result.message, /no secure connection: self-signed certificate/);
  });

  it('fails for good when the peer speaks no TLS', async () => {
    const plain = createServer((socket) => socket.on('error', () => {}).end('this is no TLS'));
    await once(plain.listen(0, '127.0.0.1'), 'listening');
    await using pool = poolTo(plain.address() as AddressInfo, { tls: {} });
    assert.equal(codeOf(await pool.send(order('1'))), 'TLS_FAILED');
    plain.close();
  });
});
