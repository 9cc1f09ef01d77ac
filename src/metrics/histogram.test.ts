import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createHistogram, decodeHistogram, MAX_TRACKED_US } from './histogram.ts';

const durations = fc.array(fc.integer({ min: 1, max: MAX_TRACKED_US }), { minLength: 1, maxLength: 200 });
const PERCENTILES = [0.1, 1, 25, 50, 90, 99, 99.9, 100];

/** The value that `percentile` per cent of the values do not exceed. */
function exactPercentile(values: readonly number[], percentile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percentile / 100) * sorted.length - 1e-9) - 1)]!;
}

function histogramOf(values: readonly number[]) {
  const histogram = createHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('a histogram of durations', () => {
  it('gives percentiles within one per cent of the exact ones, from 1 us to 1 h', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const histogram = histogramOf(values);
        for (const percentile of PERCENTILES) {
          const exact = exactPercentile(values, percentile);
          const measured = histogram.percentileUs(percentile)!;
          assert.ok(Math.abs(measured - exact) <= 0.01 * exact, `p${percentile}: ${measured} for ${exact}`);
        }
      }),
    );
  });

  it('merges to what one histogram of all values would be', () => {
    fc.assert(
      fc.property(durations, durations, (some, others) => {
        const merged = histogramOf(some);
        merged.merge(histogramOf(others));
        const whole = histogramOf([...some, ...others]);
        assert.equal(merged.count, whole.count);
        for (const p of PERCENTILES) assert.equal(merged.percentileUs(p), whole.percentileUs(p));
      }),
    );
  });

  it('is the same after encoding and decoding', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const histogram = histogramOf(values);
        const decoded = decodeHistogram(histogram.encode());
        assert.equal(decoded.count, histogram.count);
        for (const p of PERCENTILES) assert.equal(decoded.percentileUs(p), histogram.percentileUs(p));
        assert.equal(decoded.encode(), histogram.encode());
      }),
    );
  });

  it('takes what is shorter than a microsecond for one, and what is longer than an hour for an hour', () => {
    assert.equal(histogramOf([0]).percentileUs(100), 1);
    assert.equal(histogramOf([0.4]).percentileUs(100), 1);
    const longest = histogramOf([2 * MAX_TRACKED_US]).percentileUs(100)!;
    assert.ok(Math.abs(longest - MAX_TRACKED_US) <= 0.01 * MAX_TRACKED_US);
  });

  it('counts what lies up to a limit, but for values within one per cent of it', () => {
    const limits = [1, 10, 500, 2_000, 10_000, 60_000_000];
    fc.assert(
      fc.property(durations, (values) => {
        const counts = histogramOf(values).countsUpTo(limits);
        for (const [at, limit] of limits.entries()) {
          const under = (share: number): number =>
            values.filter((value) => Math.max(1, value) <= limit * share).length;
          assert.ok(counts[at]! >= under(0.99) && counts[at]! <= under(1.01), `${counts[at]} up to ${limit}`);
        }
      }),
    );
  });

  it('has no percentile without values, also after a reset', () => {
    const histogram = histogramOf([5]);
    histogram.reset();
    assert.equal(histogram.count, 0);
    assert.equal(histogram.percentileUs(50), null);
  });
});
