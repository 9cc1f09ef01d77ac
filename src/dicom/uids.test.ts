import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { YeeterError } from '../lib/errors.ts';
import { checkUidRoot, isValidUid, sopInstanceUid } from './uids.ts';

describe('UIDs', () => {
  it('are valid and unique below short and long roots', () => {
    for (const root of [null, '1.2', '1.2.826.0.1.3680043.10.1234', `1.2.${'3'.repeat(35)}`]) {
      const uids = new Set<string>();
      for (let n = 0; n < 2000; n++) {
        const uid = sopInstanceUid('1.2.3', n, root);
        assert.ok(isValidUid(uid), uid);
        assert.ok(uid.startsWith(root === null ? '2.25.' : `${root}.`));
        uids.add(uid);
      }
      assert.equal(uids.size, 2000);
    }
  });

  it('take only a root that is a UID and leaves room', () => {
    for (const root of ['', '1', '1.2.', '.1.2', '1.02', '3.1', 'a.b', '1..2', `1.2.${'3'.repeat(36)}`])
      assert.throws(
        () => checkUidRoot(root),
        (error) => error instanceof YeeterError && error.code === 'CONFIG_INVALID',
        root,
      );
    assert.doesNotThrow(() => checkUidRoot('1.2.826.0.1.3680043.10.1234'));
  });

  it('are recognised by their form', () => {
    assert.ok(isValidUid('1.2.840.10008.1.2'));
    assert.ok(isValidUid('0.0'));
    for (const uid of ['', '1.', '1.01', '1.2.x', `1.${'2'.repeat(63)}`]) assert.ok(!isValidUid(uid), uid);
  });
});
