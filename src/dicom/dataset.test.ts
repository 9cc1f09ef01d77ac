import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { YeeterError } from '../lib/errors.ts';
import {
  type DataSet,
  DataSetWriter,
  decimalString,
  encodeDataSet,
  encodeShared,
  writeMerged,
} from './dataset.ts';
import { decodeDataSet, items, numbers, text, texts } from './dataset-decoder.ts';

function rejects(set: DataSet, pattern: RegExp): void {
  assert.throws(
    () => encodeDataSet(set),
    (error) => error instanceof YeeterError && error.code === 'DICOM_DATASET' && pattern.test(error.message),
  );
}

describe('encodeDataSet', () => {
  it('writes elements by ascending tag, with short and long lengths and even padding', () => {
    const bytes = encodeDataSet({
      PixelData: Buffer.from([1, 2, 3]),
      Rows: 8,
      PatientID: 'A',
      SOPClassUID: '1.2',
    });
    assert.equal(
      bytes.toString('hex'),
      [
        '08001600554904003 12e3200',
        '100020004c4f02004120',
        '280010005553020 00800',
        'e07f10004f57000004000000 01020300',
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  it('writes no value representation in implicit encoding', () => {
    assert.equal(encodeDataSet({ Rows: 8 }, 'implicit').toString('hex'), '28001000020000000800');
  });

  it('writes null as an element without a value and leaves out what is undefined', () => {
    const set = decodeDataSet(encodeDataSet({ PatientName: null }), 'explicit');
    assert.equal(set.elements.size, 1);
    assert.equal(text(set, 'PatientName'), null);
  });

  it('keeps umlauts and ideographs', () => {
    const name = 'MÜLLER^JÖRG=山田^太郎';
    const bytes = encodeDataSet({ SpecificCharacterSet: 'ISO_IR 192', PatientName: name });
    assert.equal(text(decodeDataSet(bytes, 'explicit'), 'PatientName'), name);
    assert.equal(bytes.length % 2, 0);
  });

  it('names tag and keyword of a value that is too long for its VR', () => {
    rejects({ PatientID: 'x'.repeat(65) }, /^\(0010,0020\) PatientID: .* has 65 characters, LO allows 64$/);
    rejects({ AccessionNumber: 'x'.repeat(17) }, /\(0008,0050\) AccessionNumber: .* SH allows 16/);
    rejects({ PatientName: `${'x'.repeat(65)}^A` }, /component group, PN allows 64/);
  });

  it('counts characters, not bytes or UTF-16 units', () => {
    assert.doesNotThrow(() => encodeDataSet({ PatientID: 'ü'.repeat(64), AccessionNumber: '😀'.repeat(16) }));
  });

  it('refuses values of the wrong form', () => {
    rejects({ StudyDate: '2026-01-05' }, /is not YYYYMMDD/);
    rejects({ StudyTime: '25' }, /is not HHMMSS/);
    rejects({ Modality: 'ct' }, /upper case/);
    rejects({ SOPClassUID: '1.02' }, /leading zero/);
    rejects({ PatientAge: '45' }, /three digits/);
    rejects({ PatientID: 'a\\b' }, /backslash/);
    rejects({ PatientID: 'a\nb' }, /control character/);
    rejects({ Rows: 65_536 }, /\(0028,0010\) Rows: 65536 is outside the range of US/);
    rejects({ InstanceNumber: 1.5 }, /not an integer/);
    rejects({ KVP: Number.NaN }, /not a finite number/);
  });

  it('refuses a value that the length field of its VR cannot hold', () => {
    rejects({ ImageType: Array.from({ length: 8000 }, () => 'ORIGINAL') }, /does not fit/);
  });

  it('allows lines in text, as reports have them', () => {
    assert.doesNotThrow(() => encodeDataSet({ TextValue: 'one\r\ntwo\tthree' }));
  });
});

describe('decimalString', () => {
  it('is the nearest number that 16 characters hold', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }), (value) => {
        const written = decimalString(value);
        assert.ok(written.length <= 16);
        assert.ok(Math.abs(Number(written) - value) <= Math.abs(value) * 1e-7 + Number.MIN_VALUE * 1e9);
      }),
    );
  });
});

const word = fc.stringMatching(/^[A-Za-zäöüß山田]([A-Za-zäöüß山田 .-]{0,20}[A-Za-z田])?$/);
const plain: fc.Arbitrary<DataSet> = fc.record(
  {
    PatientName: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('^')),
    ImageType: fc.array(fc.constantFrom('ORIGINAL', 'PRIMARY', 'AXIAL'), { minLength: 1, maxLength: 4 }),
    StudyDescription: word,
    Rows: fc.integer({ min: 0, max: 65_535 }),
    InstanceNumber: fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
    ImagePositionPatient: fc.array(
      fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 1000),
      {
        minLength: 3,
        maxLength: 3,
      },
    ),
    PhysicalDeltaX: fc.double({ noNaN: true }),
    FrameIncrementPointer: fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 1, maxLength: 3 }),
    PixelData: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  },
  { requiredKeys: [] },
);
const nested: fc.Arbitrary<DataSet> = fc
  .tuple(plain, fc.array(plain, { maxLength: 3 }), fc.array(plain, { maxLength: 2 }))
  .map(([set, inner, deepest]) => ({
    ...set,
    SpecificCharacterSet: 'ISO_IR 192',
    RequestAttributesSequence: inner.map((item) => ({ ...item, ProcedureCodeSequence: deepest })),
  }));

function assertSame(set: DataSet, encoding: 'implicit' | 'explicit'): void {
  const check = (expected: DataSet, decoded: ReturnType<typeof decodeDataSet>): void => {
    assert.equal(
      decoded.elements.size,
      Object.values(expected).filter((value) => value !== undefined).length,
    );
    for (const keyword of ['PatientName', 'StudyDescription'] as const)
      assert.equal(text(decoded, keyword), expected[keyword] ?? null);
    assert.deepEqual(texts(decoded, 'ImageType'), expected.ImageType ?? []);
    for (const keyword of ['Rows', 'InstanceNumber', 'PhysicalDeltaX'] as const)
      assert.deepEqual(numbers(decoded, keyword), expected[keyword] === undefined ? [] : [expected[keyword]]);
    for (const keyword of ['ImagePositionPatient', 'FrameIncrementPointer'] as const)
      assert.deepEqual(numbers(decoded, keyword), expected[keyword] ?? []);
    for (const keyword of ['RequestAttributesSequence', 'ProcedureCodeSequence'] as const) {
      const inner = items(decoded, keyword);
      assert.equal(inner.length, expected[keyword]?.length ?? 0);
      expected[keyword]?.forEach((item, index) => {
        check(item, inner[index]!);
      });
    }
  };
  check(set, decodeDataSet(encodeDataSet(set, encoding), encoding));
}

describe('encoding and decoding', () => {
  for (const encoding of ['implicit', 'explicit'] as const)
    it(`give back any data set in ${encoding} VR`, () => {
      fc.assert(fc.property(nested, (set) => assertSame(set, encoding)));
    });
});

describe('writeMerged', () => {
  it('writes what encoding the union writes', () => {
    const shared: DataSet = { PatientName: 'A^B', Rows: 8, Columns: 8, SOPClassUID: '1.2.3' };
    const own: DataSet = { SOPInstanceUID: '1.2.3.4', InstanceNumber: 7, WindowCenter: 40 };
    const writer = new DataSetWriter();
    writeMerged(writer, encodeShared(shared), own);
    assert.deepEqual(writer.toBuffer(), encodeDataSet({ ...shared, ...own }));
  });

  it('refuses an element that stands on both sides', () => {
    const shared = encodeShared({ Rows: 8 });
    assert.throws(
      () => writeMerged(new DataSetWriter(), shared, { Rows: 9 }),
      /\(0028,0010\) Rows: stands both/,
    );
  });
});
