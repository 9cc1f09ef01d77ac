import { decodeHistogram } from './histogram.ts';
import type { SeriesTotals } from './totals.ts';

/** One line of a report. Times are those of the successes; a time that was not measured is null. */
export interface SeriesSummary {
  series: string;
  /** Successes. */
  count: number;
  failures: number;
  /** Successes a second. */
  ratePerSecond: number | null;
  minUs: number | null;
  avgUs: number | null;
  p50Us: number | null;
  p90Us: number | null;
  p95Us: number | null;
  p99Us: number | null;
  p999Us: number | null;
  maxUs: number | null;
  /** Payload bytes that the successes moved. */
  bytes: number;
}

/**
 * Percentiles of the merged histogram, at most the exact maximum.
 * @param durationSeconds over which the rate is taken; without it, from the first second of the series to its last
 */
export function summariseSeries(totals: SeriesTotals, durationSeconds: number | null = null): SeriesSummary {
  const { okCount, okMaxUs } = totals;
  const histogram = totals.okHistogram === null ? null : decodeHistogram(totals.okHistogram);
  const percentile = (p: number): number | null => {
    const value = histogram?.percentileUs(p) ?? null;
    return value === null || okMaxUs === null ? value : Math.min(value, okMaxUs);
  };
  const seconds = durationSeconds ?? totals.lastSecond - totals.firstSecond + 1;
  return {
    series: totals.series,
    count: okCount,
    failures: totals.failedCount,
    ratePerSecond: seconds > 0 ? okCount / seconds : null,
    minUs: totals.okMinUs,
    avgUs: okCount > 0 ? totals.okSumUs / okCount : null,
    p50Us: percentile(50),
    p90Us: percentile(90),
    p95Us: percentile(95),
    p99Us: percentile(99),
    p999Us: percentile(99.9),
    maxUs: okMaxUs,
    bytes: totals.bytes,
  };
}
