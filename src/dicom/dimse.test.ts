import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { YeeterError } from '../lib/errors.ts';
import { type Command, decodeCommand, encodeCommand } from './dimse.ts';
import { describeStatus, isPending, judgeStoreStatus } from './dimse-status.ts';

const uid = fc
  .array(fc.integer({ min: 0, max: 9_999 }), { minLength: 2, maxLength: 8 })
  .map((parts) => parts.join('.'));
const us = fc.nat(0xffff);
const text = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9 ]{0,14}[A-Za-z0-9])?$/);
const command: fc.Arbitrary<Command> = fc.record(
  {
    commandField: us,
    hasDataSet: fc.boolean(),
    affectedSopClassUid: uid,
    requestedSopClassUid: uid,
    messageId: us,
    messageIdBeingRespondedTo: us,
    priority: us,
    status: us,
    errorComment: text,
    errorId: us,
    affectedSopInstanceUid: uid,
    requestedSopInstanceUid: uid,
    moveDestination: text,
    moveOriginatorAeTitle: text,
    moveOriginatorMessageId: us,
    eventTypeId: us,
    actionTypeId: us,
  },
  { requiredKeys: ['commandField', 'hasDataSet'], noNullPrototype: true },
);

test('a command set reads back as it was written, wherever it stands in its buffer', () => {
  fc.assert(
    fc.property(command, fc.nat(20), (written, offset) => {
      const buffer = Buffer.alloc(1024, 0xff);
      const end = encodeCommand(written, buffer, offset);
      assert.equal((end - offset) % 2, 0);
      assert.equal(buffer.readUInt32LE(offset + 8), end - offset - 12, 'Command Group Length');
      assert.deepEqual(decodeCommand(buffer, offset, end), written);
    }),
    { numRuns: 300 },
  );
});

test('a C-ECHO request has the bytes of PS3.7 section 9.3.5', () => {
  const buffer = Buffer.alloc(128);
  const end = encodeCommand(
    { commandField: 0x30, hasDataSet: false, affectedSopClassUid: '1.2.840.10008.1.1', messageId: 7 },
    buffer,
    0,
  );
  const expected = [
    '00000000 04000000 38000000',
    '00000200 12000000 312e322e3834302e31303030382e312e3100',
    '00000001 02000000 3000',
    '00001001 02000000 0700',
    '00000008 02000000 0101',
  ];
  assert.equal(buffer.toString('hex', 0, end), expected.join('').replaceAll(' ', ''));
});

test('unknown elements of group 0000 are skipped', () => {
  const buffer = Buffer.alloc(64);
  const end = encodeCommand({ commandField: 1, hasDataSet: true }, buffer, 0);
  const unknown = Buffer.from('0000ff0902000000abcd', 'hex');
  assert.deepEqual(decodeCommand(Buffer.concat([buffer.subarray(0, end), unknown])), {
    commandField: 1,
    hasDataSet: true,
  });
});

test('damaged command sets are refused with a protocol error and nothing else', () => {
  fc.assert(
    fc.property(command, fc.nat(), fc.nat(255), fc.nat(12), (written, at, value, cut) => {
      const buffer = Buffer.alloc(1024);
      const end = encodeCommand(written, buffer, 0);
      buffer[at % end] = value;
      try {
        decodeCommand(buffer, 0, Math.max(0, end - cut));
      } catch (error) {
        assert.ok(error instanceof YeeterError && error.code === 'DICOM_PROTOCOL', String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('C-STORE statuses are judged as stored, stored with warning, to be retried or failed', () => {
  const verdicts: [number, string][] = [
    [0x0000, 'stored'],
    [0xb000, 'stored-with-warning'],
    [0xb006, 'stored-with-warning'],
    [0xb007, 'stored-with-warning'],
    [0xb001, 'failed'],
    [0xa700, 'retry'],
    [0xa7ff, 'retry'],
    [0xa900, 'failed'],
    [0xc000, 'failed'],
    [0xcfff, 'failed'],
    [0x0122, 'failed'],
    [0x0110, 'failed'],
  ];
  for (const [status, verdict] of verdicts)
    assert.equal(judgeStoreStatus(status), verdict, status.toString(16));
});

test('statuses are described in words', () => {
  assert.equal(describeStatus(0xa700), 'A700 (out of resources)');
  assert.equal(describeStatus(0xc123), 'C123 (cannot understand)');
  assert.equal(describeStatus(0x0122), '0122 (SOP class not supported)');
  assert.equal(describeStatus(0x7777), '7777 (unknown status)');
  assert.deepEqual([0xff00, 0xff01, 0x0000].map(isPending), [true, true, false]);
});
