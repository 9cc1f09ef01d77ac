import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ERROR_CODES, networkError, toYeeterError, YeeterError } from './errors.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `(\w+)` \| (yes|no) \| (.+) \| (.+) \|$/gm)];

test('docs/errors.md explains every code once, and no other', () => {
  assert.deepEqual(rows.map((row) => row[1]).sort(), Object.keys(ERROR_CODES).sort());
});

test('docs/errors.md says of every code whether it is retried', () => {
  for (const [, code = '', retried] of rows) {
    const { retryable } = ERROR_CODES[code as keyof typeof ERROR_CODES];
    assert.equal(retried, retryable ? 'yes' : 'no', code);
  }
});

test('a network fault keeps where it was and gets the code of its kind', () => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  const error = networkError(refused, 'MLLP endpoint 127.0.0.1:2575');
  assert.equal(error.code, 'CONNECT_REFUSED');
  assert.equal(error.retryable, true);
  assert.match(error.message, /^MLLP endpoint 127\.0\.0\.1:2575: nothing listens there/);
  assert.equal(error.cause, refused);
  assert.equal(networkError(new Error('odd'), 'x', 'DICOM_CLOSED').code, 'DICOM_CLOSED');
  assert.match(
    networkError(refused, 'x', 'CONNECT_FAILED', 'the broker').message,
    /that the broker is started$/,
  );
});

test('an unknown fault becomes INTERNAL, a known one stays itself', () => {
  const known = new YeeterError('USAGE', 'no');
  assert.equal(toYeeterError(known), known);
  assert.equal(toYeeterError('text').code, 'INTERNAL');
});
