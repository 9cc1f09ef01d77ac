import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { csvLines } from '../../metrics/csv.ts';
import { csvRecords } from './csv-records.ts';

/** Bytes in pieces of a length that cuts anywhere. */
function* pieces(bytes: Buffer, length: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

describe('csvRecords', () => {
  it('keeps whole records, byte for byte, wherever the stream is cut and whatever is quoted', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'ü') });
    const rows = fc.array(fc.record({ id: fc.integer({ min: 1, max: 3 }), note: cell }));
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 9 }), async (all, length) => {
        const csv = (of: typeof all): Promise<string> => text(Readable.from(csvLines(['id', 'note'], of)));
        const filter = csvRecords((record, index) => index === 0 || record.toString().startsWith('2,'));
        const kept = Readable.from(pieces(Buffer.from(await csv(all)), length)).pipe(filter);
        assert.equal(await text(kept), await csv(all.filter(({ id }) => id === 2)));
      }),
    );
  });

  it('keeps a last record without a line end', async () => {
    const all = Readable.from([Buffer.from('h\n1,a\n2,b')]).pipe(csvRecords(() => true));
    assert.equal(await text(all), 'h\n1,a\n2,b');
  });
});
