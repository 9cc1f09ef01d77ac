import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRateMeter } from './rate-meter.ts';

describe('a rate meter', () => {
  it('averages the last five whole seconds, without the one under way', () => {
    const meter = createRateMeter();
    for (let ms = 10_000; ms < 15_000; ms += 10) meter.count(ms);
    assert.equal(meter.perSecond(15_000), 100);
    for (let n = 0; n < 1000; n++) meter.count(15_500);
    assert.equal(meter.perSecond(15_900), 100);
    assert.equal(meter.perSecond(16_100), (400 + 1000) / 5);
  });

  it('forgets what is longer ago', () => {
    const meter = createRateMeter();
    for (let n = 0; n < 10; n++) meter.count(1000);
    assert.equal(meter.perSecond(2500), 2);
    assert.equal(meter.perSecond(7500), 0);
    assert.equal(meter.perSecond(1_000_000), 0);
  });
});
