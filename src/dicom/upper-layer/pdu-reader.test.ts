import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeAbort, encodeReleaseRq } from './pdu.ts';
import { type InvalidPdu, PduReader } from './pdu-reader.ts';

/** Everything a reader says, with PDV pieces joined. */
function read(chunks: readonly Buffer[], maxDataBytes = 0): { said: unknown[]; reader: PduReader } {
  const said: unknown[] = [];
  let pieces: Buffer[] = [];
  const reader = new PduReader(
    {
      dataPdu: () => true,
      fragment: (contextId, control, chunk, start, end, last) => {
        pieces.push(Buffer.from(chunk.subarray(start, end)));
        if (!last) return;
        said.push({ contextId, control, value: Buffer.concat(pieces).toString('hex') });
        pieces = [];
      },
      pdu: (type, body) => said.push({ type, body: body.toString('hex') }),
      invalid: (fault: InvalidPdu) => said.push(fault),
    },
    maxDataBytes,
  );
  for (const chunk of chunks) reader.feed(chunk);
  return { said, reader };
}

function dataPdu(...pdvs: readonly { contextId: number; control: number; value: Buffer }[]): Buffer {
  const items = pdvs.map(({ contextId, control, value }) => {
    const header = Buffer.alloc(6);
    header.writeUInt32BE(value.length + 2, 0);
    header[4] = contextId;
    header[5] = control;
    return Buffer.concat([header, value]);
  });
  const body = Buffer.concat(items);
  const header = Buffer.from([4, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

const pdv = fc.record({
  contextId: fc.nat(255),
  control: fc.nat(3),
  value: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
});

test('PDUs are read alike however the stream is cut', () => {
  const stream = fc.array(
    fc.oneof(
      fc.array(pdv, { minLength: 1, maxLength: 4 }).map((pdvs) => dataPdu(...pdvs)),
      fc.constant(encodeReleaseRq()),
      fc.constant(encodeAbort({ source: 2, reason: 1 })),
    ),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(stream, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (pdus, cuts) => {
      const whole = Buffer.concat(pdus);
      const pieces: Buffer[] = [];
      for (let at = 0, n = 0; at < whole.length; n++) {
        const size = cuts[n % cuts.length]!;
        pieces.push(whole.subarray(at, at + size));
        at += size;
      }
      const expected = read([whole]);
      assert.equal(expected.reader.atBoundary, true);
      assert.deepEqual(read(pieces).said, expected.said);
      assert.deepEqual(read([...whole].map((byte) => Buffer.of(byte))).said, expected.said);
    }),
    { numRuns: 200 },
  );
});

test('random bytes end in at most one fault and never in an exception', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (chunks) => {
      const { said } = read(
        chunks.map((chunk) => Buffer.from(chunk)),
        4096,
      );
      assert.ok(
        said.filter((word) => typeof word === 'object' && word !== null && 'reason' in word).length <= 1,
      );
    }),
    { numRuns: 500 },
  );
});

test('a P-DATA-TF longer than agreed, an unknown PDU type and an overlong PDV are invalid', () => {
  const value = Buffer.alloc(100);
  const faultOf = (bytes: Buffer, max = 0): InvalidPdu => read([bytes], max).said.at(-1) as InvalidPdu;
  assert.equal(faultOf(dataPdu({ contextId: 1, control: 0, value }), 100).reason, 6);
  assert.match(faultOf(dataPdu({ contextId: 1, control: 0, value }), 100).message, /106 bytes .* 100 agreed/);
  assert.equal(faultOf(Buffer.from([9, 0, 0, 0, 0, 4, 0, 0, 0, 0])).reason, 1);
  const overlong = dataPdu({ contextId: 1, control: 0, value });
  overlong.writeUInt32BE(200, 6);
  assert.equal(faultOf(overlong).reason, 6);
  const short = dataPdu({ contextId: 1, control: 0, value });
  short.writeUInt32BE(1, 6);
  assert.equal(faultOf(short).reason, 6);
  assert.equal(faultOf(Buffer.from([5, 0, 0xff, 0xff, 0xff, 0xff])).reason, 6);
});

test('a PDU that is exactly as long as agreed is read', () => {
  const bytes = dataPdu({ contextId: 1, control: 2, value: Buffer.alloc(94) });
  assert.equal(read([bytes], 100).said.length, 1);
});

test('a stream that ends inside a PDU is not at a boundary', () => {
  assert.equal(read([encodeReleaseRq().subarray(0, 7)]).reader.atBoundary, false);
});
