import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Failure } from '../lib/errors.ts';
import { encodeCommand } from './dimse.ts';
import { createDicomScp } from './scp.ts';
import type { StoreInfo } from './scp-hooks.ts';
import { type OpenAssociationOptions, openAssociation } from './scu.ts';
import {
  type AssociateRq,
  encodeAbort,
  encodeAssociateRq,
  encodeReleaseRp,
  encodeReleaseRq,
  PDU_TYPE,
} from './upper-layer/pdu.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const VERIFICATION = '1.2.840.10008.1.1';
const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';

function options(port: number, more: Partial<OpenAssociationOptions> = {}): OpenAssociationOptions {
  return {
    host: '127.0.0.1',
    port,
    calledAeTitle: 'STORE',
    contexts: [
      { abstractSyntax: CT, transferSyntaxes: [EXPLICIT] },
      { abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT] },
    ],
    timeouts: { dimseMs: 5_000, artimMs: 50, ...more.timeouts },
    ...more,
  };
}

async function opened(port: number, more: Partial<OpenAssociationOptions> = {}) {
  const result = await openAssociation(options(port, more));
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.association;
}

const instance = (parts: Buffer[] = [Buffer.alloc(100)]) => ({
  sopClassUid: CT,
  sopInstanceUid: '1.2.3.4',
  transferSyntaxUid: EXPLICIT,
  parts,
});

/** A connection on which a test writes what it likes, and reads PDU types. */
async function rawPeer(
  port: number,
): Promise<{ socket: Socket; type: () => Promise<number>; closed: Promise<unknown> }> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    socket.emit('more');
  });
  const type = async (): Promise<number> => {
    while (bytes.length < 6 || bytes.length < 6 + bytes.readUInt32BE(2)) {
      await Promise.race([once(socket, 'more'), closed]);
      if (socket.destroyed && bytes.length === 0) return -1;
    }
    const found = bytes[0]!;
    bytes = bytes.subarray(6 + bytes.readUInt32BE(2));
    return found;
  };
  return { socket, type, closed };
}

const RQ: AssociateRq = {
  protocolVersion: 1,
  calledAeTitle: 'STORE',
  callingAeTitle: 'RAW',
  applicationContext: '1.2.840.10008.3.1.1.1',
  maxPduBytes: 16_384,
  implementationClassUid: '1.2.3',
  implementationVersionName: 'RAW',
  contexts: [{ id: 1, abstractSyntax: CT, transferSyntaxes: [EXPLICIT] }],
};

test('a store delivers what was sent, with its names, and counts it', async () => {
  const seen: { info: StoreInfo; data: Buffer }[] = [];
  const ends: (Failure | null)[] = [];
  await using scp = await createDicomScp({
    onStore: (info) => {
      const pieces: Buffer[] = [];
      return {
        chunk: (data) => void pieces.push(Buffer.from(data)),
        end: (bytes) => {
          assert.equal(bytes, 700_800);
          seen.push({ info, data: Buffer.concat(pieces) });
          return 0;
        },
      };
    },
    onEnd: (_number, cause) => void ends.push(cause),
  });
  const association = await opened(scp.port, { callingAeTitle: 'MODALITY' });
  const parts = [Buffer.alloc(800, 7), Buffer.alloc(700_000, 9)];
  const stored = await association.store(instance(parts));
  assert.ok(stored.ok && stored.bytes === 700_800);
  assert.equal((await association.echo()).ok, true);
  assert.equal(scp.associations, 1);
  await association.close();
  assert.ok(seen[0]!.data.equals(Buffer.concat(parts)));
  assert.deepEqual(seen[0]!.info, {
    associationNumber: 1,
    callingAeTitle: 'MODALITY',
    calledAeTitle: 'STORE',
    sopClassUid: CT,
    sopInstanceUid: '1.2.3.4',
    transferSyntaxUid: EXPLICIT,
  });
  assert.deepEqual(ends, [null]);
  assert.deepEqual(scp.counters, {
    associationsAccepted: 1,
    associationsRejected: 0,
    associationsFailed: 0,
    echoes: 1,
    instances: 1,
    bytes: 700_800,
    storesRefused: 0,
  });
});

test('a called AE title other than its own is rejected for good, and case counts', async () => {
  await using scp = await createDicomScp({ aeTitle: 'STORE' });
  for (const calledAeTitle of ['OTHER', 'store']) {
    const result = await openAssociation(options(scp.port, { calledAeTitle }));
    assert.deepEqual(!result.ok && result.rejection, { result: 1, source: 1, reason: 7 });
  }
  await (await opened(scp.port)).close();
  assert.equal(scp.counters.associationsRejected, 2);
});

test('associations beyond the limit are rejected for now, and accepted once there is room', async () => {
  await using scp = await createDicomScp({ maxAssociations: 1 });
  const first = await opened(scp.port);
  const second = await openAssociation(options(scp.port));
  assert.deepEqual(!second.ok && second.rejection, { result: 2, source: 3, reason: 2 });
  assert.equal(!second.ok && second.retryable, true);
  await first.close();
  await (await opened(scp.port)).close();
});

test('contexts are accepted by abstract syntax and by the first transfer syntax that is known', async () => {
  await using scp = await createDicomScp({ transferSyntaxes: [IMPLICIT] });
  const association = await opened(scp.port, {
    contexts: [
      { abstractSyntax: CT, transferSyntaxes: ['1.2.3', IMPLICIT] },
      { abstractSyntax: CT, transferSyntaxes: [EXPLICIT] },
      { abstractSyntax: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxes: [IMPLICIT] },
    ],
  });
  assert.equal(association.isAccepted(CT, IMPLICIT), true);
  assert.equal(association.isAccepted(CT, EXPLICIT), false);
  const refused = await association.store(instance());
  assert.match(refused.ok ? '' : refused.message, /transfer syntaxes not supported/);
  const notStorage = await association.store({ ...instance(), sopClassUid: '1.2.840.10008.5.1.4.1.2.2.1' });
  assert.match(notStorage.ok ? '' : notStorage.message, /abstract syntax not supported/);
  await association.close();
});

test('statuses, delays and faults reach the sender as asked for', async () => {
  const replies: ['abort' | 'close', 'DICOM_ABORTED' | 'DICOM_CLOSED'][] = [
    ['abort', 'DICOM_ABORTED'],
    ['close', 'DICOM_CLOSED'],
  ];
  for (const [reply, code] of replies) {
    await using scp = await createDicomScp({ onStore: () => reply });
    const stored = await (await opened(scp.port)).store(instance());
    assert.equal(!stored.ok && stored.code, code);
    assert.equal(scp.counters.storesRefused, 1);
    assert.equal(scp.counters.associationsFailed, 1);
  }
  await using scp = await createDicomScp({
    onStore: () => ({ end: () => new Promise((resolve) => setTimeout(() => resolve(0xa700), 20)) }),
  });
  const association = await opened(scp.port);
  const stored = await association.store(instance());
  assert.equal(!stored.ok && stored.status, 0xa700);
  await association.close();
});

test('a receiver that is busy pauses the sender and loses nothing', async () => {
  let got = 0;
  await using scp = await createDicomScp({
    onStore: () => ({
      chunk: async (data) => {
        got += data.length;
        await new Promise((resolve) => setTimeout(resolve, 1));
      },
      end: () => 0,
    }),
  });
  const association = await opened(scp.port);
  assert.equal((await association.store(instance([Buffer.alloc(3_000_000)]))).ok, true);
  assert.equal((await association.store(instance([Buffer.alloc(1_000)]))).ok, true);
  assert.equal(got, 3_001_000);
  await association.close();
});

test('a receiver that fails aborts the association instead of leaving the sender waiting', async () => {
  await using scp = await createDicomScp({
    onStore: () => ({ end: () => Promise.reject(new Error('no disk')) }),
  });
  const stored = await (await opened(scp.port)).store(instance());
  assert.equal(!stored.ok && stored.code, 'DICOM_ABORTED');
});

test('the asynchronous operations window is granted as configured and used', async () => {
  let waiting = 0;
  let most = 0;
  await using scp = await createDicomScp({
    maxOperations: 3,
    onStore: () => ({
      end: async () => {
        most = Math.max(most, ++waiting);
        await new Promise((resolve) => setTimeout(resolve, 10));
        waiting--;
        return 0;
      },
    }),
  });
  const association = await opened(scp.port, { maxInFlight: 8 });
  assert.equal(association.maxInFlight, 3);
  const stores = await Promise.all(Array.from({ length: 9 }, () => association.store(instance())));
  assert.ok(stores.every((stored) => stored.ok));
  assert.equal(most, 3);
  await association.close();
});

test('a connection that never asks, and one that asks nonsense, is closed', async () => {
  await using scp = await createDicomScp({ artimMs: 50 });
  const silent = await rawPeer(scp.port);
  await silent.closed;
  const garbage = await rawPeer(scp.port);
  garbage.socket.write('GET / HTTP/1.1\r\n\r\n');
  assert.equal(await garbage.type(), PDU_TYPE.abort);
  await garbage.closed;
  const early = await rawPeer(scp.port);
  early.socket.write(encodeReleaseRq());
  assert.equal(await early.type(), PDU_TYPE.abort);
  await early.closed;
  const damaged = await rawPeer(scp.port);
  const rq = encodeAssociateRq(RQ);
  rq.writeUInt16BE(0xffff, 76);
  damaged.socket.write(rq);
  assert.equal(await damaged.type(), PDU_TYPE.abort);
  await damaged.closed;
  assert.equal(scp.counters.associationsAccepted, 0);
});

test('a protocol version or an application context that is not ours is rejected', async () => {
  await using scp = await createDicomScp({ artimMs: 50 });
  for (const change of [{ protocolVersion: 2 }, { applicationContext: '1.2.3' }]) {
    const { socket, type, closed } = await rawPeer(scp.port);
    socket.write(encodeAssociateRq({ ...RQ, ...change }));
    assert.equal(await type(), PDU_TYPE.associateRj);
    await closed;
  }
});

test('what breaks an established association aborts it and is counted', async () => {
  const buffer = Buffer.alloc(256);
  const store = { commandField: 1, hasDataSet: true, messageId: 1, affectedSopClassUid: CT };
  const command = buffer.subarray(0, encodeCommand({ ...store, affectedSopInstanceUid: '1.2' }, buffer, 0));
  const pdu = (contextId: number, control: number, value: Buffer): Buffer => {
    const header = Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, contextId, control]);
    header.writeUInt32BE(value.length + 6, 2);
    header.writeUInt32BE(value.length + 2, 6);
    return Buffer.concat([header, value]);
  };
  const breaks: Buffer[] = [
    pdu(1, 2, Buffer.alloc(4)),
    pdu(3, 3, command),
    Buffer.concat([pdu(1, 3, command), pdu(1, 3, command)]),
    pdu(1, 3, Buffer.alloc(5)),
    pdu(1, 0, Buffer.alloc(5_000)),
    encodeAssociateRq(RQ),
    encodeReleaseRp(),
  ];
  const ends: (Failure | null)[] = [];
  await using scp = await createDicomScp({
    artimMs: 50,
    maxPduBytes: 4_096,
    onEnd: (_number, cause) => void ends.push(cause),
  });
  for (const bytes of breaks) {
    const { socket, type, closed } = await rawPeer(scp.port);
    socket.write(encodeAssociateRq(RQ));
    assert.equal(await type(), PDU_TYPE.associateAc);
    socket.write(bytes);
    assert.equal(await type(), PDU_TYPE.abort);
    await closed;
  }
  assert.deepEqual(
    ends.map((cause) => cause?.code),
    breaks.map(() => 'DICOM_PROTOCOL'),
  );
  assert.equal(scp.counters.associationsFailed, breaks.length);
});

test('an abort and a closed connection in the middle of a data set reach the receiver', async () => {
  let cancelled = 0;
  const ends: (Failure | null)[] = [];
  await using scp = await createDicomScp({
    onStore: () => ({ end: () => 0, cancelled: () => void cancelled++ }),
    onEnd: (_number, cause) => void ends.push(cause),
  });
  async function* stalled(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(1000);
    yield Buffer.alloc(1000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    yield Buffer.alloc(1000);
  }
  const association = await opened(scp.port);
  const store = association.store({ ...instance(), parts: stalled() });
  setTimeout(() => void association.abort(), 20);
  const stored = await store;
  assert.equal(!stored.ok && stored.code, 'CANCELLED');
  await association.closed;

  const { socket, type } = await rawPeer(scp.port);
  socket.write(encodeAssociateRq(RQ));
  assert.equal(await type(), PDU_TYPE.associateAc);
  socket.destroy();
  while (ends.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(
    ends.map((cause) => cause?.code),
    ['DICOM_ABORTED', 'DICOM_CLOSED'],
  );
  assert.equal(cancelled, 1);
});

test('an association on which nothing comes is aborted after the idle time', async () => {
  await using scp = await createDicomScp({ idleMs: 40 });
  const association = await opened(scp.port);
  await association.closed;
  assert.equal(association.ended?.code, 'DICOM_ABORTED');
});

test('closing lets a store under way be answered, aborts the idle and refuses the new', async () => {
  const arrived = Promise.withResolvers<void>();
  const scp = await createDicomScp({
    onStore: () => {
      arrived.resolve();
      return { end: () => new Promise((resolve) => setTimeout(() => resolve(0), 50)) };
    },
  });
  const idle = await opened(scp.port);
  const busy = await opened(scp.port);
  const store = busy.store(instance());
  await arrived.promise;
  const closing = scp.close();
  assert.equal((await store).ok, true);
  await Promise.all([closing, idle.closed, busy.closed]);
  assert.equal(idle.ended?.code, 'DICOM_ABORTED');
  const late = await openAssociation(options(scp.port));
  assert.equal(!late.ok && late.code, 'CONNECT_REFUSED');
  await scp.close();
});

test('closing does not wait for a peer that neither sends nor closes', async () => {
  const scp = await createDicomScp({});
  const { socket, type, closed } = await rawPeer(scp.port);
  socket.write(encodeAssociateRq(RQ));
  assert.equal(await type(), PDU_TYPE.associateAc);
  socket.write(encodeAbort({ source: 0, reason: 0 }).subarray(0, 3));
  await Promise.all([scp.close(50), closed]);
});

test('a port that is taken is an error that says so', async () => {
  await using scp = await createDicomScp({});
  await assert.rejects(createDicomScp({ port: scp.port }), { code: 'PORT_IN_USE' });
});
