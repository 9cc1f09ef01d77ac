import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Delimiters, STANDARD_DELIMITERS } from './delimiters.ts';
import { escapeText, unescapeText } from './escape.ts';

const PUNCTUATION = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'];

const delimiters: fc.Arbitrary<Delimiters> = fc
  .uniqueArray(fc.constantFrom(...PUNCTUATION), { minLength: 6, maxLength: 6 })
  .map(([field, component, repetition, mark, subcomponent, truncation]) => ({
    field: field!,
    component: component!,
    repetition: repetition!,
    escape: mark!,
    subcomponent: subcomponent!,
    truncation: truncation!,
  }));

const text = fc.string({
  unit: fc.oneof(fc.constantFrom(...PUNCTUATION, '\r', '\n', '\v', '\x1c', 'X', 'E', '.'), fc.string()),
});

describe('escape sequences', () => {
  it('unescape what was escaped, for any text and any delimiters', () => {
    fc.assert(
      fc.property(text, delimiters, (value, chosen) => {
        assert.equal(unescapeText(escapeText(value, chosen), chosen), value);
      }),
    );
  });

  it('leave no delimiter and no control character in an escaped value', () => {
    fc.assert(
      fc.property(text, delimiters, (value, chosen) => {
        const escaped = escapeText(value, chosen);
        const { field, component, repetition, subcomponent } = chosen;
        for (const character of [field, component, repetition, subcomponent]) {
          assert.ok(!escaped.includes(character!));
        }
        assert.ok([...escaped].every((character) => character >= ' '));
      }),
    );
  });

  const cases: [string, string][] = [
    ['A\\F\\B\\S\\C\\T\\D\\R\\E\\E\\F', 'A|B^C&D~E\\F'],
    ['one\\.br\\two', 'one\ntwo'],
    ['\\X41\\\\X4243\\', 'ABC'],
    ['\\H\\loud\\N\\', '\\H\\loud\\N\\'],
    ['\\.sp3\\', '\\.sp3\\'],
    ['\\Z12\\\\T\\', '\\Z12\\&'],
    ['\\C2842\\', '\\C2842\\'],
    ['\\XE9\\', '\\XE9\\'],
    ['C:\\temp \\T\\ more', 'C:\\temp & more'],
    ['stray \\', 'stray \\'],
    ['\\\\', '\\\\'],
    ['', ''],
  ];
  for (const [escaped, plain] of cases) {
    it(`read ${JSON.stringify(escaped)} as ${JSON.stringify(plain)}`, () => {
      assert.equal(unescapeText(escaped, STANDARD_DELIMITERS), plain);
    });
  }

  it('become spaces where the message declares no escape character', () => {
    const none: Delimiters = { ...STANDARD_DELIMITERS, escape: null, subcomponent: null };
    assert.equal(escapeText('A|B^C\rD&E', none), 'A B C D&E');
    assert.equal(unescapeText('A\\F\\B', none), 'A\\F\\B');
  });
});
