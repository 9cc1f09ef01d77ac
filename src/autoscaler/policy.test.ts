import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type AutoscalerConfig, DEFAULT_AUTOSCALER_CONFIG, mergeConfig } from './config.ts';
import { decideReplicas } from './policy.ts';

const NOW_MS = 1_790_000_000_000;
const config = (patch: Partial<AutoscalerConfig> = {}): AutoscalerConfig =>
  mergeConfig(DEFAULT_AUTOSCALER_CONFIG, patch);

describe('the scaling policy', () => {
  const CASES = [
    ['adds a step at the upper threshold', {}, 10, 1, null, 'scale_up', 2],
    ['adds no more than the most', { scaleUpStep: 5 }, 500, 2, null, 'scale_up', 3],
    ['stays at the most', {}, 500, 3, null, 'none', 3],
    ['stays between the thresholds', {}, 9, 2, null, 'none', 2],
    ['takes a step away at the lower threshold', {}, 3, 3, null, 'scale_down', 2],
    ['takes no more than down to the least', { scaleDownStep: 5 }, 0, 3, null, 'scale_down', 1],
    ['stays at the least', {}, 0, 1, null, 'none', 1],
    ['waits for the cooldown before it takes any away', {}, 0, 3, NOW_MS - 179_000, 'none', 3],
    ['goes on when the cooldown is over', {}, 0, 3, NOW_MS - 180_000, 'scale_down', 2],
    ['does not wait for the cooldown to add', {}, 50, 1, NOW_MS - 1, 'scale_up', 2],
    ['scales to none when it may', { scaleToZero: true, minReplicas: 0 }, 0, 1, null, 'scale_down', 0],
    [
      'brings what is below the bounds up, whatever the depth',
      { minReplicas: 2 },
      null,
      0,
      null,
      'bounds',
      2,
    ],
    ['brings what is above the bounds down at once', {}, 500, 9, NOW_MS - 1, 'bounds', 3],
    ['stays when the depth is not known', {}, null, 2, null, 'none', 2],
  ] as const;
  for (const [name, patch, depth, current, lastScaleAtMs, action, target] of CASES) {
    it(name, () => {
      const decision = decideReplicas({
        config: config(patch),
        depth,
        current,
        nowMs: NOW_MS,
        lastScaleAtMs,
      });
      assert.deepEqual([decision.action, decision.target], [action, target], decision.reason);
    });
  }

  it('stays within the bounds, and changes nothing while the depth is between the thresholds', () => {
    const numbers = fc.record({
      minReplicas: fc.nat(20),
      maxReplicas: fc.nat(40),
      scaleUpThreshold: fc.nat(100),
      scaleUpStep: fc.integer({ min: 1, max: 10 }),
      scaleDownThreshold: fc.nat(100),
      scaleDownStep: fc.integer({ min: 1, max: 10 }),
      scaleToZero: fc.boolean(),
    });
    fc.assert(
      fc.property(numbers, fc.option(fc.nat(200)), fc.nat(60), (patch, depth, current) => {
        const bounded = config(patch);
        const { action, target } = decideReplicas({
          ...{ config: bounded, depth, current, nowMs: NOW_MS, lastScaleAtMs: null },
        });
        assert.ok(target >= bounded.minReplicas && target <= bounded.maxReplicas);
        assert.equal(action === 'none', target === current);
        const hovering =
          depth !== null && depth < bounded.scaleUpThreshold && depth > bounded.scaleDownThreshold;
        if (hovering) assert.ok(action === 'none' || action === 'bounds');
      }),
    );
  });
});

describe('the configuration of the scaler', () => {
  it('keeps the least at one unless it may scale to none', () => {
    assert.equal(config({ minReplicas: 0 }).minReplicas, 1);
    assert.equal(config({ minReplicas: 0, scaleToZero: true }).minReplicas, 0);
    const back = mergeConfig(config({ minReplicas: 0, scaleToZero: true }), { scaleToZero: false });
    assert.equal(back.minReplicas, 1);
  });

  it('keeps the most at the least or above, and the poll at five seconds or above', () => {
    const { maxReplicas, pollIntervalSeconds } = config({
      minReplicas: 5,
      maxReplicas: 2,
      pollIntervalSeconds: 1,
    });
    assert.deepEqual([maxReplicas, pollIntervalSeconds], [5, 5]);
  });

  it('changes what is given and nothing else', () => {
    assert.deepEqual(config({ scaleUpStep: 2 }), { ...DEFAULT_AUTOSCALER_CONFIG, scaleUpStep: 2 });
  });
});
