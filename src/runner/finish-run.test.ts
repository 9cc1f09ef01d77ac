import assert from 'node:assert/strict';
import { it } from 'node:test';
import { decideRunEnd } from './finish-run.ts';

const sound = { failed: 0, cancelled: false, onFailure: 'continue', faulted: false } as const;

it('a run ends as its accounts say', () => {
  assert.equal(decideRunEnd(sound), 'over_ok');
  assert.equal(decideRunEnd({ ...sound, failed: 3 }), 'over_ok');
  assert.equal(decideRunEnd({ ...sound, failed: 3, onFailure: 'fail_run' }), 'over_failed');
  assert.equal(decideRunEnd({ ...sound, failed: 3, cancelled: true }), 'over_cancelled');
  assert.equal(decideRunEnd({ ...sound, cancelled: true, faulted: true }), 'over_failed');
});
