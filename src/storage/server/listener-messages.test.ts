import assert from 'node:assert/strict';
import { it } from 'node:test';
import { containing } from './listener-messages.ts';

it('a search is taken as it stands and not as a pattern', () => {
  assert.equal(containing('50%_a\\b'), '%50\\%\\_a\\\\b%');
});
