import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertFails,
  CT,
  dataPdu,
  EXPLICIT,
  fakePeer,
  instance,
  opened,
  response,
} from '../../test/support/dicom-peer.ts';
import { type Command, encodeCommand } from './dimse.ts';
import { encodeAbort, PDU_TYPE } from './upper-layer/pdu.ts';

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
