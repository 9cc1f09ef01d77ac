import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatPath, parsePath } from './path.ts';

describe('a path', () => {
  it('names segment, field, component and subcomponent with their repetitions', () => {
    assert.deepEqual(parsePath('PID[2]-3[4].5.6'), {
      segment: 'PID',
      segmentRepetition: 2,
      field: 3,
      repetition: 4,
      component: 5,
      subcomponent: 6,
    });
  });

  it('may be written with a dot before the field', () => {
    assert.deepEqual(parsePath('OBR.3'), parsePath('OBR-3'));
    assert.deepEqual(parsePath('OBR.4.2'), parsePath('OBR-4.2'));
  });

  it('is read again as it was written', () => {
    const number = fc.integer({ min: 1, max: 99 });
    const lower = fc.option(fc.tuple(number, fc.option(number)));
    fc.assert(
      fc.property(number, number, number, lower, (segmentRepetition, field, repetition, below) => {
        const component = below?.[0] ?? null;
        const subcomponent = below?.[1] ?? null;
        const path = { segment: 'ZDS', segmentRepetition, field, repetition, component, subcomponent };
        assert.deepEqual(parsePath(formatPath(path)), path);
      }),
    );
  });

  for (const bad of [
    '',
    'OBR',
    'obr-3',
    'OBR-0',
    'OBR-3.0',
    'OBR-3.1.1.1',
    'OBR 3',
    'OBRX-3',
    'OBR-3[0]',
    'O-1',
  ]) {
    it(`cannot be ${JSON.stringify(bad)}`, () => {
      assert.throws(() => parsePath(bad), { code: 'HL7_PATH' });
    });
  }
});
