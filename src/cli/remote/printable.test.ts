import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { printable, printableJson } from './printable.ts';

const CONTROL = /[\p{Cc}\p{Bidi_Control}]/u;

describe('printable', () => {
  it('leaves nothing that moves a cursor, rings a bell or turns the direction of writing', () => {
    assert.equal(printable('a\x1b[2Jb\u0007c\u009bd\u202ee\r\nf'), 'a [2Jb c d e f');
    assert.equal(printable('Müller 日本 🙂'), 'Müller 日本 🙂');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !CONTROL.test(printable(text))));
  });

  it('escapes in JSON what JSON itself would let through, and means the same', () => {
    assert.equal(printableJson({ a: '\u009b31m\u202e' }, 0), '{"a":"\\u009b31m\\u202e"}');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = printableJson(value, 2);
        assert.doesNotMatch(text.replaceAll('\n', ''), CONTROL);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
