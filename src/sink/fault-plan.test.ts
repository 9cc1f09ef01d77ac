import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { YeeterError } from '../lib/errors.ts';
import { type FaultKinds, faultFor, MILLISECONDS, parseFaultPlan } from './fault-plan.ts';

const KINDS = {
  AE: { about: 'answers AE', argument: null },
  close: { about: 'closes', argument: null },
  delay: { about: 'waits', argument: MILLISECONDS },
} as const satisfies FaultKinds;

describe('a fault plan', () => {
  it('names faults, arguments and cadences, separated by commas', () => {
    assert.deepEqual(parseFaultPlan('AE/5, delay:200/1', KINDS), [
      { fault: { name: 'AE', argument: null }, every: 5 },
      { fault: { name: 'delay', argument: 200 }, every: 1 },
    ]);
    assert.deepEqual(parseFaultPlan('  ', KINDS), []);
  });

  it('strikes every n-th time, counted from 1', () => {
    const plan = parseFaultPlan('AE/3', KINDS);
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map((n) => faultFor(plan, n)?.name ?? null),
      [null, null, 'AE', null, null, 'AE'],
    );
    assert.equal(faultFor([], 1), null);
  });

  it('lets the rarest win where several fall together, and the first of equals', () => {
    const plan = parseFaultPlan('delay:1/1,AE/2,close/4', KINDS);
    assert.deepEqual(
      [1, 2, 3, 4].map((n) => faultFor(plan, n)?.name),
      ['delay', 'AE', 'delay', 'close'],
    );
    assert.equal(faultFor(parseFaultPlan('close/2,AE/2', KINDS), 2)?.name, 'close');
  });

  it('is refused with the part that is wrong and the list of what is possible', () => {
    for (const [text, why] of [
      ['AE', 'expected name/n'],
      ['AE/0', 'begins at 1'],
      ['AE/x', 'expected name/n'],
      ['XX/2', 'no fault is called "XX"'],
      ['toString/2', 'no fault is called "toString"'],
      ['AE:3/2', 'AE takes no argument'],
      ['delay/2', 'delay needs an argument: ms'],
      ['delay:fast/2', 'delay needs an argument: ms'],
      ['delay:9999999/2', 'delay needs an argument: ms'],
      ['AE/1,,close/2', 'expected name/n'],
    ] as const) {
      assert.throws(
        () => parseFaultPlan(text, KINDS),
        (error) =>
          error instanceof YeeterError &&
          error.code === 'USAGE' &&
          error.message.includes(why) &&
          error.message.endsWith('Possible: AE/<n> answers AE; close/<n> closes; delay:<ms>/<n> waits'),
        text,
      );
    }
  });
});
