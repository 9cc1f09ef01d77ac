import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { ErrorCode } from '../lib/errors.ts';
import type { Association } from './association.ts';
import { type Command, decodeCommand, encodeCommand } from './dimse.ts';
import type { StoreRequest } from './dimse-service.ts';
import { type OpenAssociationOptions, openAssociation, type ScuTimeouts } from './scu.ts';
import {
  decodeAssociateRq,
  encodeAbort,
  encodeAssociateAc,
  encodeAssociateRj,
  encodeReleaseRp,
  encodeReleaseRq,
  PDU_TYPE,
} from './upper-layer/pdu.ts';
import { PduReader } from './upper-layer/pdu-reader.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const SHORT: Partial<ScuTimeouts> = {
  connectMs: 2_000,
  associateMs: 2_000,
  dimseMs: 2_000,
  releaseMs: 2_000,
  artimMs: 50,
};

/** One P-DATA-TF with one PDV. */
function dataPdu(contextId: number, control: number, value: Buffer): Buffer {
  const header = Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, contextId, control]);
  header.writeUInt32BE(value.length + 6, 2);
  header.writeUInt32BE(value.length + 2, 6);
  return Buffer.concat([header, value]);
}

function response(request: Command, status: number, extra: Partial<Command> = {}): Buffer {
  const buffer = Buffer.alloc(1024);
  const command = {
    commandField: request.commandField | 0x8000,
    hasDataSet: false,
    messageIdBeingRespondedTo: request.messageId,
    status,
    ...extra,
  };
  return dataPdu(1, 3, buffer.subarray(0, encodeCommand(command, buffer, 0)));
}

/** What a peer with no manners does; by default it accepts, stores and releases. */
interface Script {
  associate?: (socket: Socket, accept: Buffer) => void;
  command?: (socket: Socket, request: Command) => void;
  /** A request's data set (or the request, when it has none) is complete. */
  message?: (socket: Socket, request: Command, dataSet: Buffer) => void;
  release?: (socket: Socket) => void;
  releaseAnswer?: (socket: Socket) => void;
  maxPduBytes?: number;
  window?: { invoked: number; performed: number };
}

interface Peer extends AsyncDisposable {
  port: number;
  /** Longest P-DATA-TF variable field seen. */
  longestPdu(): number;
  /** Types of the PDUs received, P-DATA-TF left out. */
  pdus: number[];
  sockets: Socket[];
}

async function fakePeer(script: Script): Promise<Peer> {
  const sockets: Socket[] = [];
  const pdus: number[] = [];
  let longest = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    let request: Command | null = null;
    let pieces: Buffer[] = [];
    let pduBytes = 0;
    const complete = (): void => {
      const done = request!;
      request = null;
      const dataSet = Buffer.concat(pieces);
      pieces = [];
      if (script.message) script.message(socket, done, dataSet);
      else socket.write(response(done, 0));
    };
    const reader = new PduReader(
      {
        dataPdu: () => {
          pduBytes = 0;
          return true;
        },
        fragment: (_contextId, control, chunk, start, end, last) => {
          pduBytes += end - start;
          longest = Math.max(longest, pduBytes + 6);
          pieces.push(Buffer.from(chunk.subarray(start, end)));
          if (!last || (control & 2) === 0) return;
          if ((control & 1) === 0) return complete();
          request = decodeCommand(Buffer.concat(pieces));
          pieces = [];
          script.command?.(socket, request);
          if (!request.hasDataSet) complete();
        },
        pdu: (type, body) => {
          pdus.push(type);
          if (type === PDU_TYPE.associateRq) {
            const rq = decodeAssociateRq(body);
            const accept = encodeAssociateAc({
              ...rq,
              maxPduBytes: script.maxPduBytes ?? 16_384,
              operationsWindow: script.window,
              contexts: rq.contexts.map(({ id, transferSyntaxes }) => ({
                id,
                result: 0,
                transferSyntax: transferSyntaxes[0]!,
              })),
            });
            if (script.associate) script.associate(socket, accept);
            else socket.write(accept);
          } else if (type === PDU_TYPE.releaseRq) {
            if (script.release) script.release(socket);
            else socket.write(encodeReleaseRp());
          } else if (type === PDU_TYPE.releaseRp) script.releaseAnswer?.(socket);
        },
        invalid: ({ message }) => assert.fail(message),
      },
      0,
    );
    socket.on('data', (chunk: Buffer) => reader.feed(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    longestPdu: () => longest,
    pdus,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function options(peer: { port: number }, more: Partial<OpenAssociationOptions> = {}): OpenAssociationOptions {
  return {
    host: '127.0.0.1',
    port: peer.port,
    calledAeTitle: 'PEER',
    contexts: [
      { abstractSyntax: CT, transferSyntaxes: [EXPLICIT] },
      { abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] },
    ],
    ...more,
    timeouts: { ...SHORT, ...more.timeouts },
  };
}

async function opened(
  peer: { port: number },
  more: Partial<OpenAssociationOptions> = {},
): Promise<Association> {
  const result = await openAssociation(options(peer, more));
  assert.ok(result.ok, result.ok ? '' : result.message);
  assert.ok(result.connectUs > 0 && result.associateUs > 0);
  return result.association;
}

const instance = (more: Partial<StoreRequest> = {}): StoreRequest => ({
  sopClassUid: CT,
  sopInstanceUid: '1.2.3.4',
  transferSyntaxUid: EXPLICIT,
  parts: [Buffer.alloc(10, 1), Buffer.alloc(50_000, 2)],
  ...more,
});

function assertFails(result: { ok: boolean }, code: ErrorCode, message: RegExp, retryable: boolean): void {
  assert.equal(result.ok, false);
  const failed = result as { ok: boolean; code: ErrorCode; message: string; retryable: boolean };
  assert.equal(failed.code, code, failed.message);
  assert.match(failed.message, message);
  assert.equal(failed.retryable, retryable);
}

test('an instance is stored in PDUs no longer than the peer receives, byte for byte', async () => {
  for (const maxPduBytes of [128, 4_096, 131_072, 0]) {
    const got: Buffer[] = [];
    await using peer = await fakePeer({
      maxPduBytes,
      message: (socket, request, dataSet) => {
        got.push(dataSet);
        socket.write(response(request, 0));
      },
    });
    const association = await opened(peer);
    const parts = [Buffer.alloc(802, 1), Buffer.alloc(0), Buffer.alloc(300_000, 2), Buffer.alloc(4, 3)];
    const stored = await association.store(instance({ parts }));
    assert.ok(stored.ok);
    assert.equal(stored.bytes, 300_806);
    assert.ok(Math.abs(stored.serviceUs - stored.sendUs - stored.waitUs) < 0.01);
    assert.ok(got[0]!.equals(Buffer.concat(parts)));
    if (maxPduBytes > 0) assert.ok(peer.longestPdu() <= maxPduBytes, `${peer.longestPdu()} > ${maxPduBytes}`);
    assert.equal((await association.release()).ok, true);
    await association.closed;
  }
});

test('a data set comes in whole from a stream of buffers and from one buffer larger than a batch', async () => {
  const sizes: number[] = [];
  await using peer = await fakePeer({
    maxPduBytes: 131_072,
    message: (socket, request, dataSet) => {
      sizes.push(dataSet.length);
      assert.equal(
        dataSet.findIndex((byte, at) => byte !== ((at >> 1) & 0xff)),
        -1,
      );
      socket.write(response(request, 0));
    },
  });
  const large = Buffer.alloc(9_000_000);
  for (let at = 0; at < large.length; at++) large[at] = (at >> 1) & 0xff;
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < 1_000_000; at += 100_000) yield large.subarray(at, at + 100_000);
  }
  const association = await opened(peer);
  const streamed = await association.store(instance({ parts: pieces() }));
  const whole = await association.store(instance({ parts: [large] }));
  assert.deepEqual([streamed.ok && streamed.bytes, whole.ok && whole.bytes], [1_000_000, 9_000_000]);
  assert.deepEqual(sizes, [1_000_000, 9_000_000]);
  await association.close();
});

test('a data set that cannot be read to its end aborts the association', async () => {
  await using peer = await fakePeer({});
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(1000);
    yield Buffer.alloc(1000);
    throw new Error('the file vanished');
  }
  const association = await opened(peer);
  assertFails(await association.store(instance({ parts: broken() })), 'INTERNAL', /the file vanished/, false);
  await association.closed;
  assert.ok(peer.pdus.includes(PDU_TYPE.abort));
});

test('warnings are stored, A7xx may be retried, other failures are final', async () => {
  const statuses = [0xb000, 0xb006, 0xb007, 0xa700, 0xa900, 0xc000, 0x0122];
  let next = 0;
  await using peer = await fakePeer({
    message: (socket, request) => {
      const status = statuses[next++]!;
      socket.write(
        response(request, status, { errorComment: status === 0xc000 ? 'no room for this' : undefined }),
      );
    },
  });
  const association = await opened(peer);
  for (const status of statuses.slice(0, 3)) {
    const stored = await association.store(instance());
    assert.ok(stored.ok && stored.warning && stored.status === status);
  }
  assertFails(await association.store(instance()), 'DICOM_STORE_FAILED', /A700 \(out of resources\)/, true);
  assertFails(await association.store(instance()), 'DICOM_STORE_FAILED', /1\.2\.3\.4 .* A900/, false);
  assertFails(await association.store(instance()), 'DICOM_STORE_FAILED', /C000 .*"no room for this"/, false);
  const last = await association.store(instance());
  assertFails(last, 'DICOM_STORE_FAILED', /0122/, false);
  assert.ok(!last.ok && last.status === 0x0122 && last.sendUs !== undefined && last.waitUs !== undefined);
  await association.close();
});

test('rejections tell result, source and reason, and only transient ones may be retried', async () => {
  const rejections = [
    {
      rj: { result: 1, source: 1, reason: 7 },
      words: /for good by the service user: called AE title not recognised/,
    },
    { rj: { result: 2, source: 3, reason: 2 }, words: /for now .* local limit exceeded/ },
    { rj: { result: 1, source: 2, reason: 2 }, words: /protocol version not supported/ },
    { rj: { result: 1, source: 9, reason: 9 }, words: /source 9: reason 9/ },
  ];
  for (const { rj, words } of rejections) {
    await using peer = await fakePeer({ associate: (socket) => socket.write(encodeAssociateRj(rj)) });
    const result = await openAssociation(options(peer));
    assertFails(result, 'DICOM_ASSOCIATION_REJECTED', words, rj.result === 2);
    assert.deepEqual(!result.ok && result.rejection, rj);
  }
});

test('options that cannot make an association are refused before anything is sent', async () => {
  const at = { port: 1 };
  const contexts = Array.from({ length: 129 }, () => ({ abstractSyntax: CT, transferSyntaxes: [EXPLICIT] }));
  assertFails(await openAssociation(options(at, { contexts })), 'USAGE', /1 to 128 .* not 129/, false);
  assertFails(await openAssociation(options(at, { contexts: [] })), 'USAGE', /not 0/, false);
  assertFails(
    await openAssociation(options(at, { contexts: [{ abstractSyntax: CT, transferSyntaxes: [] }] })),
    'USAGE',
    /no transfer syntax/,
    false,
  );
  assertFails(
    await openAssociation(options(at, { calledAeTitle: 'A\\B' })),
    'DICOM_AE_TITLE',
    /called/,
    false,
  );
  assertFails(await openAssociation(options(at, { callingAeTitle: '' })), 'DICOM_AE_TITLE', /calling/, false);
});

test('a port where nobody listens and a name that does not exist are told apart', async () => {
  const peer = await fakePeer({});
  await peer[Symbol.asyncDispose]();
  assertFails(await openAssociation(options(peer)), 'CONNECT_REFUSED', /PEER at 127\.0\.0\.1/, true);
  const nowhere = await openAssociation(options(peer, { host: 'no-such-host.invalid' }));
  assertFails(nowhere, 'NAME_NOT_FOUND', /no-such-host\.invalid/, true);
});

test('a peer that never answers the request, or closes instead, fails the opening', async () => {
  await using silent = await fakePeer({ associate: () => {} });
  const timeouts = { associateMs: 50 };
  assertFails(
    await openAssociation(options(silent, { timeouts })),
    'DICOM_TIMEOUT',
    /association request within 50 ms/,
    true,
  );
  await using closing = await fakePeer({ associate: (socket) => socket.destroy() });
  assertFails(
    await openAssociation(options(closing)),
    'DICOM_CLOSED',
    /answer to the association request/,
    true,
  );
  await using aborting = await fakePeer({
    associate: (socket) => socket.end(encodeAbort({ source: 2, reason: 1 })),
  });
  assertFails(
    await openAssociation(options(aborting)),
    'DICOM_ABORTED',
    /service provider: unrecognised PDU/,
    true,
  );
});

test('an answer that is no PDU, cut short or out of place is a protocol error', async () => {
  await using garbage = await fakePeer({
    associate: (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
  });
  assertFails(await openAssociation(options(garbage)), 'DICOM_PROTOCOL', /PDU type 0x48/, false);
  await using cut = await fakePeer({ associate: (socket, accept) => socket.end(accept.subarray(0, 40)) });
  assertFails(await openAssociation(options(cut)), 'DICOM_CLOSED', /in the middle of a PDU/, true);
  await using early = await fakePeer({ associate: (socket) => socket.write(encodeReleaseRp()) });
  assertFails(await openAssociation(options(early)), 'DICOM_PROTOCOL', /unexpected A-RELEASE-RP/, false);
  await using tiny = await fakePeer({ maxPduBytes: 7 });
  assertFails(await openAssociation(options(tiny)), 'DICOM_PROTOCOL', /PDUs of 7 bytes/, false);
});

test('an abort signal ends the opening and the association', async () => {
  await using silent = await fakePeer({ associate: () => {} });
  const opening = new AbortController();
  const result = openAssociation(options(silent, { signal: opening.signal }));
  setTimeout(() => opening.abort(), 20);
  assertFails(await result, 'CANCELLED', /cancelled/, false);
  assertFails(
    await openAssociation(options(silent, { signal: opening.signal })),
    'CANCELLED',
    /cancelled/,
    false,
  );

  await using peer = await fakePeer({ message: () => {} });
  const running = new AbortController();
  const association = await opened(peer, { signal: running.signal });
  const store = association.store(instance());
  setTimeout(() => running.abort(), 20);
  assertFails(await store, 'CANCELLED', /cancelled/, false);
  await association.closed;
  assert.ok(peer.pdus.includes(PDU_TYPE.abort));
});

test('a store without an answer ends in a time-out, an abort and a closed connection', async () => {
  await using peer = await fakePeer({ message: () => {} });
  const association = await opened(peer, { timeouts: { dimseMs: 50 } });
  const stored = await association.store(instance());
  assertFails(stored, 'DICOM_TIMEOUT', /no answer to a request within 50 ms/, true);
  await association.closed;
  assert.ok(peer.pdus.includes(PDU_TYPE.abort));
  assert.equal(association.isOpen, false);
  assertFails(await association.store(instance()), 'DICOM_TIMEOUT', /within 50 ms/, true);
});

test('a peer that stops reading in the middle of a data set times out as well', async () => {
  await using peer = await fakePeer({ command: (socket) => void socket.pause() });
  const association = await opened(peer, { timeouts: { dimseMs: 150 } });
  const stored = await association.store(instance({ parts: [Buffer.alloc(64_000_000)] }));
  assertFails(stored, 'DICOM_TIMEOUT', /within 150 ms/, true);
  await association.closed;
});

test('an abort or a closed connection in the middle of a data set fails what is under way', async () => {
  await using aborting = await fakePeer({
    command: (socket) => void socket.write(encodeAbort({ source: 0, reason: 0 })),
  });
  const first = await opened(aborting);
  const both = await Promise.all([first.store(instance()), first.store(instance())]);
  for (const result of both) assertFails(result, 'DICOM_ABORTED', /service user/, true);
  await first.closed;
  await using closing = await fakePeer({ command: (socket) => void socket.destroy() });
  const second = await opened(closing);
  assertFails(
    await second.store(instance({ parts: [Buffer.alloc(20_000_000)] })),
    'DICOM_CLOSED',
    /the connection (closed|broke)/,
    true,
  );
  await second.closed;
});

test('an answer to another message, with another command or without a status is a protocol error', async () => {
  const wrong: [Partial<Command>, RegExp][] = [
    [{ messageIdBeingRespondedTo: 99 }, /message 99, which is not outstanding/],
    [{ commandField: 0x8030 }, /answered by command 8030/],
    [{ status: undefined }, /no status/],
  ];
  for (const [extra, words] of wrong) {
    await using peer = await fakePeer({
      message: (socket, request) => void socket.write(response(request, 0, extra)),
    });
    const association = await opened(peer);
    assertFails(await association.store(instance()), 'DICOM_PROTOCOL', words, false);
    await association.closed;
  }
});

test('a P-DATA-TF longer than we agreed to receive is a protocol error', async () => {
  await using peer = await fakePeer({
    message: (socket) => void socket.write(dataPdu(1, 1, Buffer.alloc(5_000))),
  });
  const association = await opened(peer, { maxPduBytes: 4_096 });
  assertFails(await association.store(instance()), 'DICOM_PROTOCOL', /longer than the 4096 agreed/, false);
  await association.closed;
});

test('a response in single bytes, and one in several fragments, is put together', async () => {
  await using peer = await fakePeer({
    message: (socket, request) => {
      const whole = response(request, 0).subarray(12);
      const bytes = Buffer.concat([
        dataPdu(1, 1, whole.subarray(0, 6)),
        dataPdu(1, 1, whole.subarray(6, 30)),
        dataPdu(1, 3, whole.subarray(30)),
      ]);
      for (const byte of bytes) socket.write(Buffer.of(byte));
    },
  });
  const association = await opened(peer);
  assert.equal((await association.store(instance())).ok, true);
  assert.equal((await association.echo()).ok, true);
  await association.close();
});

test('a release without an answer ends in a time-out and a closed connection', async () => {
  await using peer = await fakePeer({ release: () => {} });
  const association = await opened(peer, { timeouts: { releaseMs: 50 } });
  assertFails(await association.release(), 'DICOM_TIMEOUT', /release request within 50 ms/, true);
  await association.closed;
});

test('a release waits for what is under way and refuses what comes later', async () => {
  await using peer = await fakePeer({
    message: (socket, request) => void setTimeout(() => socket.write(response(request, 0)), 20),
  });
  const association = await opened(peer);
  const stores = [association.store(instance()), association.store(instance())];
  const release = association.release();
  assert.equal(association.isOpen, false);
  assertFails(await association.store(instance()), 'DICOM_CLOSED', /being released/, true);
  assert.deepEqual(
    (await Promise.all(stores)).map((result) => result.ok),
    [true, true],
  );
  assert.equal((await release).ok, true);
  assert.equal((await association.release()).ok, true);
  await association.closed;
});

test('a release collision is resolved from the requestor side', async () => {
  await using peer = await fakePeer({
    release: (socket) => void socket.write(encodeReleaseRq()),
    // PS3.8 Sta9 to Sta11: the requestor answers first, then awaits the acceptor's answer.
    releaseAnswer: (socket) => void socket.write(encodeReleaseRp()),
  });
  const association = await opened(peer);
  assert.equal((await association.release()).ok, true);
  await association.closed;
  assert.deepEqual(peer.pdus, [PDU_TYPE.associateRq, PDU_TYPE.releaseRq, PDU_TYPE.releaseRp]);
});

test('a peer that releases in the middle gets its answer and fails what is under way', async () => {
  await using peer = await fakePeer({
    message: (socket) => void socket.write(encodeReleaseRq()),
    releaseAnswer: (socket) => void socket.end(),
  });
  const association = await opened(peer);
  assertFails(await association.store(instance()), 'DICOM_CLOSED', /the peer released/, true);
  await association.closed;
  assert.equal(peer.pdus.at(-1), PDU_TYPE.releaseRp);
});

test('more is in flight only as the peer granted', async () => {
  for (const [asked, window, granted] of [
    [4, { invoked: 3, performed: 1 }, 3],
    [4, { invoked: 0, performed: 1 }, 4],
    [4, undefined, 1],
    [1, { invoked: 8, performed: 1 }, 1],
  ] as const) {
    let inFlight = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    await using peer = await fakePeer({
      ...(window && { window }),
      message: (socket, request) => {
        inFlight++;
        most = Math.max(most, inFlight);
        // Answers come newest first, to show that they need not be in order.
        waiting.unshift(() => {
          inFlight--;
          socket.write(response(request, 0));
        });
        if (waiting.length >= granted) for (const reply of waiting.splice(0)) reply();
      },
    });
    const association = await opened(peer, { maxInFlight: asked });
    assert.equal(association.maxInFlight, granted);
    const stores = Array.from({ length: granted * 3 }, () => association.store(instance()));
    for (const stored of await Promise.all(stores)) assert.equal(stored.ok, true);
    assert.equal(most, granted);
    await association.close();
  }
});

test('an idle association is released after its time, and a busy one is not', async () => {
  await using peer = await fakePeer({
    message: (socket, request) => void setTimeout(() => socket.write(response(request, 0)), 120),
  });
  const association = await opened(peer, { timeouts: { idleMs: 60 } });
  assert.equal((await association.store(instance())).ok, true);
  await association.closed;
  assert.equal(peer.pdus.at(-1), PDU_TYPE.releaseRq);
  assertFails(await association.store(instance()), 'DICOM_CLOSED', /released/, true);
});

test('a SOP class or transfer syntax that was not accepted is named, and costs no association', async () => {
  await using peer = await fakePeer({});
  const association = await opened(peer);
  assert.equal(association.isAccepted(CT, EXPLICIT), true);
  assert.equal(association.isAccepted(CT, '1.2.3'), false);
  assertFails(
    await association.store(instance({ transferSyntaxUid: '1.2.840.10008.1.2.5' })),
    'DICOM_CONTEXT_REFUSED',
    /SOP class 1\.2\.840\.10008\.5\.1\.4\.1\.1\.2 .*1\.2\.840\.10008\.1\.2\.5 \(proposed with 1\.2\.840\.10008\.1\.2\.1: accepted\)/,
    false,
  );
  assertFails(
    await association.store(instance({ sopClassUid: '9.9' })),
    'DICOM_CONTEXT_REFUSED',
    /not proposed/,
    false,
  );
  assert.equal((await association.store(instance())).ok, true);
  await association.close();
});

test('pending responses reach their request with their data sets, and the final one settles it', async () => {
  const identifier = Buffer.from('00100020020000003432', 'hex');
  await using peer = await fakePeer({
    message: (socket, request) => {
      for (let n = 0; n < 2; n++) {
        socket.write(response(request, 0xff00, { hasDataSet: true }));
        socket.write(dataPdu(1, 0, identifier.subarray(0, 4)));
        socket.write(dataPdu(1, 2, identifier.subarray(4)));
      }
      socket.write(response(request, 0));
    },
  });
  const association = await opened(peer);
  const pending: (string | undefined)[] = [];
  const result = await association.request({
    sopClassUid: CT,
    transferSyntaxUid: EXPLICIT,
    command: { commandField: 0x0020, affectedSopClassUid: CT, priority: 0 },
    parts: [Buffer.alloc(8)],
    onPending: (_response, dataSet) => {
      pending.push(dataSet?.toString('hex'));
      return undefined;
    },
  });
  assert.ok(result.ok && result.dataSet === null && result.response.status === 0);
  assert.deepEqual(pending, [identifier.toString('hex'), identifier.toString('hex')]);
  await association.close();
});

test('a request from the peer is declined and disturbs nothing', async () => {
  const declined: number[] = [];
  await using peer = await fakePeer({
    message: (socket, request) => {
      if ((request.commandField & 0x8000) !== 0) {
        declined.push(request.status!);
        return;
      }
      const buffer = Buffer.alloc(256);
      const event = { commandField: 0x0100, hasDataSet: true, messageId: 5, eventTypeId: 1 };
      socket.write(dataPdu(1, 3, buffer.subarray(0, encodeCommand(event, buffer, 0))));
      socket.write(dataPdu(1, 2, Buffer.alloc(8)));
      socket.write(response(request, 0));
    },
  });
  const association = await opened(peer);
  assert.equal((await association.store(instance())).ok, true);
  await association.close();
  assert.deepEqual(declined, [0x0211]);
});

/** A throw-away certificate for 127.0.0.1. */
function certificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'yeeter-dicom-tls-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost';
  const args = `req ${kind} -addext subjectAltName=IP:127.0.0.1 -keyout ${keyFile} -out ${certFile}`;
  try {
    execFileSync('openssl', args.split(' '), { stdio: 'ignore' });
    return { key: readFileSync(keyFile), cert: readFileSync(certFile) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('an association runs over TLS, and a certificate that is not trusted fails it for good', async () => {
  await using peer = await fakePeer({});
  const { key, cert } = certificate();
  const terminator = createTlsServer({ key, cert }, (secure) => {
    const plain = connect({ port: peer.port, host: '127.0.0.1', noDelay: true });
    secure.on('error', () => {}).pipe(plain);
    plain.on('error', () => {}).pipe(secure);
  });
  terminator.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => terminator.listen(0, '127.0.0.1', resolve));
  const at = { port: (terminator.address() as AddressInfo).port };
  try {
    const association = await opened(at, { tls: { ca: cert } });
    assert.equal((await association.store(instance({ parts: [Buffer.alloc(600_000)] }))).ok, true);
    await association.close();
    assertFails(await openAssociation(options(at, { tls: {} })), 'TLS_FAILED', /self-signed/, false);
  } finally {
    await new Promise((resolve) => terminator.close(resolve));
  }
});
