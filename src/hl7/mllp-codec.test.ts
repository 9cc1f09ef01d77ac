import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CR, createFrameDecoder, FS, frame, isFrameable, VT } from './mllp-codec.ts';

interface Seen {
  frames: string[];
  garbage: string;
  tooLarge: number;
  inFrame: boolean;
}

/** What a decoder makes of `chunks`; frames are copied at once, as a reader with a reused buffer would. */
function decode(chunks: readonly Buffer[], maxFrameBytes?: number): Seen {
  const seen: Seen = { frames: [], garbage: '', tooLarge: 0, inFrame: false };
  const decoder = createFrameDecoder(
    {
      ...(maxFrameBytes === undefined ? {} : { maxFrameBytes }),
      onGarbage: (bytes) => {
        seen.garbage += bytes.toString('latin1');
      },
      onTooLarge: () => {
        seen.tooLarge++;
      },
    },
    (message) => seen.frames.push(message.toString('latin1')),
  );
  for (const chunk of chunks) decoder.push(chunk);
  seen.inFrame = decoder.inFrame;
  return seen;
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const cut of cuts.map((c) => c % (bytes.length + 1)).sort((a, b) => a - b)) {
    chunks.push(bytes.subarray(at, cut));
    at = cut;
  }
  chunks.push(bytes.subarray(at));
  return chunks;
}

/** Bytes rich in the marks themselves, which is where a decoder goes wrong. */
const byte = fc.oneof(fc.constantFrom(VT, FS, CR, 0x0a), fc.integer({ min: 0, max: 255 }));
const noise = fc.array(byte, { maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const content = fc
  .array(
    fc.integer({ min: 0, max: 255 }).filter((b) => b !== VT && b !== FS),
    { maxLength: 40 },
  )
  .map((bytes) => Buffer.from(bytes));
const cuts = fc.array(fc.nat({ max: 1000 }), { maxLength: 20 });

describe('MLLP frames', () => {
  it('are VT, the message, FS and CR in one buffer', () => {
    assert.deepEqual([...frame(Buffer.from('MSH|'))], [VT, 0x4d, 0x53, 0x48, 0x7c, FS, CR]);
  });

  it('come out as they went in, whatever the split', () => {
    fc.assert(
      fc.property(fc.array(content, { maxLength: 6 }), cuts, (messages, at) => {
        const seen = decode(split(Buffer.concat(messages.map(frame)), at));
        assert.deepEqual(
          seen.frames,
          messages.map((m) => m.toString('latin1')),
        );
        assert.equal(seen.garbage, '');
        assert.equal(seen.inFrame, false);
      }),
    );
  });

  it('are the same for any split of any bytes, and so is the refusal of a long one', () => {
    fc.assert(
      fc.property(noise, cuts, fc.constantFrom(3, 8, 1000), (bytes, at, max) => {
        const whole = decode([bytes], max);
        const parts = decode(split(bytes, at), max);
        const single = decode(
          [...bytes].map((b) => Buffer.from([b])),
          max,
        );
        for (const other of [parts, single]) {
          assert.deepEqual(other.frames, whole.frames);
          assert.equal(other.tooLarge, whole.tooLarge);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('within one chunk are views of it, not copies', () => {
    const chunk = Buffer.concat([frame(Buffer.from('one')), frame(Buffer.from('two'))]);
    const offsets: number[] = [];
    createFrameDecoder({}, (m) => offsets.push(m.buffer === chunk.buffer ? m.byteOffset : -1)).push(chunk);
    assert.deepEqual(offsets, [chunk.byteOffset + 1, chunk.byteOffset + 7]);
  });

  it('may hold an FS that no CR follows', () => {
    const bytes = Buffer.from([VT, 0x41, FS, 0x42, FS, FS, CR]);
    assert.deepEqual(decode([bytes]).frames, [`A${String.fromCharCode(FS)}B${String.fromCharCode(FS)}`]);
  });

  it('of exactly the longest length pass, and one byte more is told once', () => {
    const fits = Buffer.alloc(8, 0x41);
    const long = Buffer.alloc(9, 0x41);
    assert.equal(decode([frame(fits)], 8).frames.length, 1);
    const seen = decode([frame(long), frame(fits)], 8);
    assert.deepEqual([seen.frames.length, seen.tooLarge], [0, 1]);
  });

  it('that never end are refused when the limit is passed, without waiting for their end', () => {
    const chunks = [Buffer.from([VT]), ...Array.from({ length: 9 }, () => Buffer.from('A'))];
    assert.equal(decode(chunks, 8).tooLarge, 1);
  });

  it('leave what stands between them to be reported, but for CR and LF', () => {
    const bytes = Buffer.concat([
      Buffer.from('\r\nHTTP/1.1'),
      frame(Buffer.from('a')),
      Buffer.from('\n'),
      frame(Buffer.from('b')),
      Buffer.from('tail'),
    ]);
    const seen = decode([bytes]);
    assert.deepEqual(seen.frames, ['a', 'b']);
    assert.equal(seen.garbage, 'HTTP/1.1tail');
  });

  it('that were cut short stay open', () => {
    assert.equal(decode([Buffer.from([VT, 0x41, FS])]).inFrame, true);
  });

  it('of a megabyte arriving byte by byte are gathered whole', () => {
    const message = Buffer.alloc(1 << 20, 0x41);
    const framed = frame(message);
    let got = 0;
    const decoder = createFrameDecoder({}, (m) => {
      got = m.length;
    });
    for (let i = 0; i < framed.length; i++) decoder.push(framed.subarray(i, i + 1));
    assert.equal(got, message.length);
  });

  it('cannot carry a message that holds VT or FS', () => {
    assert.equal(isFrameable(Buffer.from('MSH|^~\\&|\r')), true);
    assert.equal(isFrameable(Buffer.from([0x41, FS])), false);
    assert.equal(isFrameable(Buffer.from([VT])), false);
  });
});
