import { createHistogram, type DurationHistogram, decodeHistogram } from './histogram.ts';
import type { WindowRow } from './series.ts';
import type { SeriesTotals } from './totals.ts';

/** Adds up windows of any processes and seconds, a few at a time, into totals by series. */
export interface SeriesMerger {
  add(window: WindowRow): void;
  /** In the order of their names, steps by number. */
  totals(): SeriesTotals[];
}

interface Merged {
  totals: SeriesTotals;
  /** Of `okLastUs`. */
  okLastSecond: number;
  ok: DurationHistogram;
  failed: DurationHistogram;
}

function smaller(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function larger(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

function empty(window: WindowRow): Merged {
  const totals: SeriesTotals = {
    series: window.series,
    okCount: 0,
    okSumUs: 0,
    okMinUs: null,
    okMaxUs: null,
    okLastUs: null,
    failedCount: 0,
    failedSumUs: 0,
    failedMinUs: null,
    failedMaxUs: null,
    bytes: 0,
    okHistogram: null,
    failedHistogram: null,
    firstSecond: window.second,
    lastSecond: window.second,
  };
  return { totals, okLastSecond: -Infinity, ok: createHistogram(), failed: createHistogram() };
}

function merge(merged: Merged, window: WindowRow): void {
  const { totals, ok, failed } = merged;
  totals.okCount += window.okCount;
  totals.okSumUs += window.okSumUs;
  totals.okMinUs = smaller(totals.okMinUs, window.okMinUs);
  totals.okMaxUs = larger(totals.okMaxUs, window.okMaxUs);
  if (window.okLastUs !== null && window.second >= merged.okLastSecond) {
    totals.okLastUs = window.okLastUs;
    merged.okLastSecond = window.second;
  }
  totals.failedCount += window.failedCount;
  totals.failedSumUs += window.failedSumUs;
  totals.failedMinUs = smaller(totals.failedMinUs, window.failedMinUs);
  totals.failedMaxUs = larger(totals.failedMaxUs, window.failedMaxUs);
  totals.bytes += window.bytes;
  totals.firstSecond = Math.min(totals.firstSecond, window.second);
  totals.lastSecond = Math.max(totals.lastSecond, window.second);
  if (window.okHistogram) ok.merge(decodeHistogram(window.okHistogram));
  if (window.failedHistogram) failed.merge(decodeHistogram(window.failedHistogram));
}

export function createSeriesMerger(): SeriesMerger {
  const bySeries = new Map<string, Merged>();
  return {
    add: (window) => {
      const merged = bySeries.get(window.series) ?? empty(window);
      bySeries.set(window.series, merged);
      merge(merged, window);
    },
    totals: () =>
      [...bySeries.values()]
        .map(({ totals, ok, failed }) => ({
          ...totals,
          okHistogram: ok.count > 0 ? ok.encode() : null,
          failedHistogram: failed.count > 0 ? failed.encode() : null,
        }))
        .sort((a, b) => a.series.localeCompare(b.series, 'en', { numeric: true })),
  };
}
