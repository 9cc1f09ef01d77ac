import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { deriveUid } from './uid.ts';

const FORM = /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/;

describe('deriveUid', () => {
  it('always gives a valid UID of at most 64 characters', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(null, '1.2.3', '1.2.826.0.1.3680043.10.12345.678901.2'),
        fc.string(),
        (root, word) => {
          const uid = deriveUid(root, word);
          assert.match(uid, FORM);
          assert.ok(uid.length <= 64);
          assert.ok(uid.startsWith(root === null ? '2.25.' : `${root}.`));
        },
      ),
    );
  });

  it('tells words apart by their borders', () => {
    assert.notEqual(deriveUid(null, 'ab', 'c'), deriveUid(null, 'a', 'bc'));
    assert.equal(deriveUid(null, 'a', 1), deriveUid(null, 'a', 1));
  });
});
