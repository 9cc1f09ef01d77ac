import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAeTitle } from './ae-title.ts';

test('AE titles of 1 to 16 printable characters are accepted as they are', () => {
  for (const title of ['A', 'STORESCP', 'pacs-1', 'ABCDEFGHIJKLMNOP', 'TWO WORDS', ' PADDED ']) {
    assert.equal(checkAeTitle(title, 'called AE title'), null, title);
  }
});

test('an AE title that the standard forbids is refused with its parameter and reason', () => {
  const bad: [string, RegExp][] = [
    ['', /is empty/],
    ['    ', /consists of spaces/],
    ['ABCDEFGHIJKLMNOPQ', /has 17 characters/],
    ['A\\B', /backslash/],
    ['A\u0007B', /control/],
    ['R\u00d6NTGEN', /non-ASCII/],
  ];
  for (const [title, reason] of bad) {
    const found = checkAeTitle(title, 'calling AE title');
    assert.equal(found?.code, 'DICOM_AE_TITLE');
    assert.equal(found?.retryable, false);
    assert.match(found?.message ?? '', reason);
    assert.match(found?.message ?? '', /^calling AE title/);
  }
});
