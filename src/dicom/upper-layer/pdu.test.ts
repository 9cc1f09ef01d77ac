import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { YeeterError } from '../../lib/errors.ts';
import {
  type AssociateAc,
  type AssociateRq,
  type ContextResult,
  decodeAbort,
  decodeAssociateAc,
  decodeAssociateRj,
  decodeAssociateRq,
  encodeAbort,
  encodeAssociateAc,
  encodeAssociateRj,
  encodeAssociateRq,
  PDU_HEADER_BYTES,
} from './pdu.ts';

const uid = fc
  .array(fc.integer({ min: 0, max: 99_999 }), { minLength: 2, maxLength: 8 })
  .map((parts) => parts.join('.'));
const aeTitle = fc.stringMatching(/^[A-Z0-9]([A-Z0-9 _]{0,14}[A-Z0-9])?$/);
const common = {
  calledAeTitle: aeTitle,
  callingAeTitle: aeTitle,
  applicationContext: uid,
  maxPduBytes: fc.nat(0xffff_ffff),
  implementationClassUid: uid,
  implementationVersionName: fc.stringMatching(/^[A-Z]{0,16}$/),
};
const window = fc.record({ invoked: fc.nat(0xffff), performed: fc.nat(0xffff) }, { noNullPrototype: true });
const contextId = fc.integer({ min: 0, max: 127 }).map((n) => 2 * n + 1);
const request: fc.Arbitrary<AssociateRq> = fc.record(
  {
    ...common,
    protocolVersion: fc.nat(0xffff),
    contexts: fc.array(
      fc.record(
        {
          id: contextId,
          abstractSyntax: uid,
          transferSyntaxes: fc.array(uid, { minLength: 1, maxLength: 5 }),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 20 },
    ),
    operationsWindow: window,
  },
  {
    requiredKeys: [...(Object.keys(common) as (keyof typeof common)[]), 'protocolVersion', 'contexts'],
    noNullPrototype: true,
  },
);
const answer: fc.Arbitrary<AssociateAc> = fc.record(
  {
    ...common,
    contexts: fc.array(
      fc.record(
        {
          id: contextId,
          result: fc.integer({ min: 0, max: 4 }).map((n) => n as ContextResult),
          transferSyntax: uid,
        },
        { noNullPrototype: true },
      ),
      { maxLength: 20 },
    ),
    operationsWindow: window,
  },
  { requiredKeys: [...(Object.keys(common) as (keyof typeof common)[]), 'contexts'], noNullPrototype: true },
);

const body = (pdu: Buffer): Buffer => {
  assert.equal(pdu.readUInt32BE(2), pdu.length - PDU_HEADER_BYTES);
  return pdu.subarray(PDU_HEADER_BYTES);
};

test('an association request reads back as it was written', () => {
  fc.assert(
    fc.property(request, (rq) => {
      assert.deepEqual(decodeAssociateRq(body(encodeAssociateRq(rq))), rq);
    }),
    { numRuns: 200 },
  );
});

test('an association acceptance reads back as it was written', () => {
  fc.assert(
    fc.property(answer, (ac) => {
      assert.deepEqual(decodeAssociateAc(body(encodeAssociateAc(ac))), ac);
    }),
    { numRuns: 200 },
  );
});

test('rejections and aborts read back as they were written', () => {
  const byte = fc.nat(255);
  fc.assert(
    fc.property(byte, byte, byte, (result, source, reason) => {
      const rj = { result, source, reason };
      assert.deepEqual(decodeAssociateRj(body(encodeAssociateRj(rj))), rj);
      assert.deepEqual(decodeAbort(body(encodeAbort({ source, reason }))), { source, reason });
    }),
  );
});

test('128 presentation contexts with many transfer syntaxes fit in a request', () => {
  const contexts = Array.from({ length: 128 }, (_, n) => ({
    id: 2 * n + 1,
    abstractSyntax: `1.2.840.10008.5.1.4.1.1.${n}`,
    transferSyntaxes: Array.from({ length: 30 }, (_unused, t) => `1.2.840.10008.1.2.4.${t}`),
  }));
  const [sample] = fc.sample(request, 1);
  const rq = { ...sample!, contexts };
  assert.deepEqual(decodeAssociateRq(body(encodeAssociateRq(rq))), rq);
});

test('damaged association PDUs are refused with a protocol error and nothing else', () => {
  const damaged = fc.tuple(request, fc.nat(), fc.nat(255)).map(([rq, at, value]) => {
    const bytes = Buffer.from(body(encodeAssociateRq(rq)));
    bytes[at % bytes.length] = value;
    return bytes.subarray(0, Math.max(0, bytes.length - (value % 8)));
  });
  fc.assert(
    fc.property(damaged, (bytes) => {
      for (const decode of [decodeAssociateRq, decodeAssociateAc]) {
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof YeeterError && error.code === 'DICOM_PROTOCOL', String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});
