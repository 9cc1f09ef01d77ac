import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isQueueName } from './queue-name.ts';

it('a queue has a name that the broker lets us declare, and that can stand in a list of names', () => {
  for (const name of ['orders', 'CT orders', 'a.delay', 'dlq', 'x'.repeat(200), 'ü'.repeat(100)]) {
    assert.equal(isQueueName(name), true, name);
  }
  for (const name of [
    ...['', 'x'.repeat(201), 'ü'.repeat(101), 'a\n', 'a,b', ' a', 'a '],
    ...['amq.gen', 'orders.dlq', 'orders.delay.100'],
  ]) {
    assert.equal(isQueueName(name), false, name);
  }
});
