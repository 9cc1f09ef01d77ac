import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import {
  assertFails,
  CT,
  EXPLICIT,
  fakePeer,
  instance,
  opened,
  options,
  response,
} from '../../test/support/dicom-peer.ts';
import { openAssociation } from './scu.ts';
import {
  encodeAbort,
  encodeAssociateRj,
  encodeReleaseRp,
  encodeReleaseRq,
  PDU_TYPE,
} from './upper-layer/pdu.ts';

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
