import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { YeeterError } from '../lib/errors.ts';
import { type DataSet, encodeDataSet } from './dataset.ts';
import { decodeDataSet, items, numbers, text, texts } from './dataset-decoder.ts';

const hex = (...parts: string[]): Buffer => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');

function isDataSetFault(error: unknown): boolean {
  return error instanceof YeeterError && error.code === 'DICOM_DATASET';
}

describe('decodeDataSet', () => {
  it('reads sequences and items of undefined length', () => {
    const bytes = hex(
      '40007502 5351 0000 ffffffff',
      'feff00e0 ffffffff',
      '40000900 5348 0400 53505331',
      'feff0de0 00000000',
      'feff00e0 00000000',
      'feffdde0 00000000',
    );
    const inner = items(decodeDataSet(bytes, 'explicit'), 'RequestAttributesSequence');
    assert.equal(inner.length, 2);
    assert.equal(text(inner[0]!, 'ScheduledProcedureStepID'), 'SPS1');
    assert.equal(inner[1]!.elements.size, 0);
  });

  it('reads encapsulated pixel data as an offset table and fragments', () => {
    const bytes = hex(
      'e07f1000 4f42 0000 ffffffff',
      'feff00e0 00000000',
      'feff00e0 04000000 01020304',
      'feffdde0 00000000',
    );
    const element = decodeDataSet(bytes, 'explicit').elements.get(0x7fe0_0010);
    assert.deepEqual(element?.fragments, [Buffer.alloc(0), Buffer.from([1, 2, 3, 4])]);
  });

  it('reads an unknown sequence of undefined length as Implicit VR', () => {
    const bytes = hex(
      '09001010 554e 0000 ffffffff',
      'feff00e0 0a000000 28001000 02000000 0800',
      'feffdde0 00000000',
      '28001100 5553 0200 0900',
    );
    const set = decodeDataSet(bytes, 'explicit');
    assert.deepEqual(numbers(set.elements.get(0x0009_1010)!.items![0]!, 'Rows'), [8]);
    assert.deepEqual(numbers(set, 'Columns'), [9]);
  });

  it('decodes text by Specific Character Set, in items too', () => {
    const latin1 = (value: string): string => Buffer.from(value, 'latin1').toString('hex');
    const bytes = hex(
      `08000500 4353 0a00 ${latin1('ISO_IR 100')}`,
      `10001000 504e 0600 ${latin1('MÜLLER')}`,
      '40007502 5351 0000 16000000',
      `feff00e0 0e000000 32006010 4c4f 0600 ${latin1('Hüfte ')}`,
    );
    const set = decodeDataSet(bytes, 'explicit');
    assert.equal(text(set, 'PatientName'), 'MÜLLER');
    assert.equal(text(items(set, 'RequestAttributesSequence')[0]!, 'RequestedProcedureDescription'), 'Hüfte');
  });

  it('keeps the values of what the dictionary does not know', () => {
    const set = decodeDataSet(hex('09001010 02000000 0102'), 'implicit');
    assert.deepEqual(set.elements.get(0x0009_1010)?.bytes, Buffer.from([1, 2]));
  });

  it('gives no values for what is absent', () => {
    const set = decodeDataSet(Buffer.alloc(0), 'explicit');
    assert.deepEqual(
      [text(set, 'PatientName'), texts(set, 'ImageType'), numbers(set, 'Rows')],
      [null, [], []],
    );
    assert.deepEqual(items(set, 'RequestAttributesSequence'), []);
  });

  it('rejects input that is cut short, and says where', () => {
    const whole = encodeDataSet({
      PatientName: 'A^B',
      RequestAttributesSequence: [{ RequestedProcedureID: 'R' }],
    });
    const first = encodeDataSet({ PatientName: 'A^B' }).length;
    for (let length = 1; length < whole.length; length++) {
      if (length === first) continue;
      assert.throws(
        () => decodeDataSet(whole.subarray(0, length), 'explicit'),
        isDataSetFault,
        `${length} bytes`,
      );
    }
    assert.throws(
      () => decodeDataSet(hex('10002000 4c4f 1000 4142'), 'explicit'),
      /byte 8: \(0010,0020\) needs 16 bytes, 2 are left: the data set is cut short/,
    );
  });

  it('rejects tags that do not ascend', () => {
    assert.throws(
      () => decodeDataSet(hex('28001100 5553 0200 0900', '28001000 5553 0200 0800'), 'explicit'),
      /ascend/,
    );
  });

  it('rejects implicit bytes read as explicit', () => {
    assert.throws(
      () => decodeDataSet(encodeDataSet({ Rows: 8 }, 'implicit'), 'explicit'),
      /is this Implicit VR/,
    );
  });

  it('bounds nesting and the number of elements', () => {
    let set: DataSet = { PatientID: 'x' };
    for (let depth = 0; depth < 20; depth++) set = { ContentSequence: [set] };
    const deep = encodeDataSet(set);
    assert.throws(() => decodeDataSet(deep, 'explicit'), /nested more than 16 deep/);
    assert.doesNotThrow(() => decodeDataSet(deep, 'explicit', { maxDepth: 20 }));
    assert.throws(() => decodeDataSet(deep, 'explicit', { maxDepth: 20, maxElements: 10 }), /more elements/);
  });

  it('answers any bytes with a data set or a fault of its own, never with another error', () => {
    const seed = encodeDataSet({
      PatientName: 'A^B',
      RequestAttributesSequence: [{ RequestedProcedureID: 'R' }],
    });
    const damaged = fc
      .array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 6 })
      .map((changes) =>
        changes.reduce((bytes, [at, value]) => bytes.fill(value, at, at + 1), Buffer.from(seed)),
      );
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      damaged,
    );
    fc.assert(
      fc.property(any, fc.constantFrom('implicit', 'explicit'), (bytes, encoding) => {
        try {
          decodeDataSet(bytes, encoding);
        } catch (error) {
          assert.ok(isDataSetFault(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
