import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byName, withoutCase } from './text-order.ts';

describe('names', () => {
  it('are the same in another case and another spelling of their letters', () => {
    assert.equal(withoutCase('MÜLLER'), withoutCase('mu\u0308ller'));
    assert.notEqual(withoutCase('muller'), withoutCase('müller'));
  });

  it('come in the order of people, equal ones by id', () => {
    const rows = ['b', 'Dose 10', 'Ä', 'dose 2', 'a', 'b'].map((name, i) => ({ name, id: 9 - i }));
    const sorted = byName(rows).map(({ name, id }) => `${name}/${id}`);
    assert.deepEqual(sorted, ['a/5', 'Ä/7', 'b/4', 'b/9', 'dose 2/6', 'Dose 10/8']);
  });
});
