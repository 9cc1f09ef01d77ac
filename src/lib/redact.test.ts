import assert from 'node:assert/strict';
import { it } from 'node:test';
import { redact } from './redact.ts';

it('masks the passwords of URLs and leaves the rest', () => {
  assert.equal(
    redact('cannot reach amqp://guest:s3cret@host:5672/v and postgres://app:p%40ss@db/y'),
    'cannot reach amqp://guest:***@host:5672/v and postgres://app:***@db/y',
  );
  assert.equal(redact('amqp://a:p@ss@host,amqp://b:c@host'), 'amqp://a:***@host,amqp://b:***@host');
  assert.equal(redact('postgres://db.example/y at 10:30'), 'postgres://db.example/y at 10:30');
});
