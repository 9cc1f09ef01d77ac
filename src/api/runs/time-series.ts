import { setImmediate as nextTurn } from 'node:timers/promises';
import { milliseconds } from '../../metrics/csv.ts';
import { createHistogram, type DurationHistogram, decodeHistogram } from '../../metrics/histogram.ts';
import type { WindowRow } from '../../metrics/series.ts';
import type { RunTotals } from '../../metrics/totals.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import { at } from '../time.ts';

export interface TimeSeriesOptions {
  /** At most, of each series. */
  points: number;
  /** Merging histograms takes the server tens of microseconds a window, so that it is asked for. */
  percentiles: boolean;
}

interface Point {
  ok: number;
  okSumUs: number;
  okMaxUs: number | null;
  failed: number;
  bytes: number;
  histogram: DurationHistogram | null;
}

const PAGE = 2000;

/** Whole seconds of one point, so that the run from its first window to its last has at most `points`. */
function bucketSeconds(totals: Pick<RunTotals, 'series'>, points: number): number {
  if (totals.series.length === 0 || points === 0) return 1;
  const first = Math.min(...totals.series.map(({ firstSecond }) => firstSecond));
  const last = Math.max(...totals.series.map(({ lastSecond }) => lastSecond));
  return Math.max(1, Math.ceil((last - first + 1) / points));
}

function add(point: Point, window: WindowRow, percentiles: boolean): void {
  point.ok += window.okCount;
  point.okSumUs += window.okSumUs;
  point.okMaxUs = Math.max(point.okMaxUs ?? 0, window.okMaxUs ?? 0) || (window.okMaxUs ?? point.okMaxUs);
  point.failed += window.failedCount;
  point.bytes += window.bytes;
  if (!percentiles || window.okHistogram === null) return;
  point.histogram ??= createHistogram();
  point.histogram.merge(decodeHistogram(window.okHistogram));
}

function toWire(second: number, point: Point, percentiles: boolean) {
  const { ok, okSumUs, okMaxUs, failed, bytes, histogram } = point;
  const percentile = (p: number) => milliseconds(histogram?.percentileUs(p) ?? null);
  return {
    at: at(second * 1000),
    count: ok,
    failures: failed,
    avg_ms: ok > 0 ? milliseconds(okSumUs / ok) : null,
    max_ms: milliseconds(okMaxUs),
    bytes,
    ...(percentiles ? { p50_ms: percentile(50), p95_ms: percentile(95), p99_ms: percentile(99) } : {}),
  };
}

/** The course of a run: its windows in a bounded number of points. Other requests are served between its pages. */
export async function timeSeries(
  store: Pick<ServerStore, 'readWindows'>,
  totals: Pick<RunTotals, 'runId' | 'series'>,
  { points, percentiles }: TimeSeriesOptions,
) {
  const width = bucketSeconds(totals, points);
  const bySeries = new Map<string, Map<number, Point>>();
  const pointOf = (series: string, second: number): Point => {
    const ofSeries = bySeries.get(series) ?? new Map<number, Point>();
    bySeries.set(series, ofSeries);
    const bucket = second - (second % width);
    const point = ofSeries.get(bucket) ?? {
      ok: 0,
      okSumUs: 0,
      okMaxUs: null,
      failed: 0,
      bytes: 0,
      histogram: null,
    };
    ofSeries.set(bucket, point);
    return point;
  };
  for (let afterSecond = 0; points > 0; ) {
    const windows = await store.readWindows(totals.runId, { afterSecond, limit: PAGE });
    const last = windows.at(-1);
    if (!last) break;
    for (const window of windows) add(pointOf(window.series, window.second), window, percentiles);
    afterSecond = last.second;
    await nextTurn();
  }
  const series = Object.fromEntries(
    [...bySeries].map(([name, ofSeries]) => [
      name,
      [...ofSeries].map(([second, point]) => toWire(second, point, percentiles)),
    ]),
  );
  return { bucket_seconds: width, series };
}
