import { type CsvRow, isoTime, milliseconds } from './csv.ts';
import { createSeriesMerger } from './merge-series.ts';
import type { WindowRow } from './series.ts';
import { summariseSeries } from './series-summary.ts';
import type { SeriesTotals } from './totals.ts';

/** One row a second and series; all processes together, successes and failures timed apart. */
export const WINDOW_CSV_COLUMNS = [
  'run_id',
  'at',
  'second',
  'series',
  'count',
  'failures',
  'min_ms',
  'avg_ms',
  'p50_ms',
  'p95_ms',
  'p99_ms',
  'max_ms',
  'failed_avg_ms',
  'failed_max_ms',
  'bytes',
] as const;

export type WindowColumn = (typeof WINDOW_CSV_COLUMNS)[number];

function windowCells(runId: number, second: number, totals: SeriesTotals): CsvRow<WindowColumn> {
  const summary = summariseSeries(totals, 1);
  return {
    run_id: runId,
    at: isoTime(second * 1000),
    second,
    series: totals.series,
    count: summary.count,
    failures: summary.failures,
    min_ms: milliseconds(summary.minUs),
    avg_ms: milliseconds(summary.avgUs),
    p50_ms: milliseconds(summary.p50Us),
    p95_ms: milliseconds(summary.p95Us),
    p99_ms: milliseconds(summary.p99Us),
    max_ms: milliseconds(summary.maxUs),
    failed_avg_ms: totals.failedCount > 0 ? milliseconds(totals.failedSumUs / totals.failedCount) : null,
    failed_max_ms: milliseconds(totals.failedMaxUs),
    bytes: summary.bytes,
  };
}

function* mergedSecond(windows: readonly WindowRow[]): Generator<CsvRow<WindowColumn>> {
  const [first] = windows;
  if (!first) return;
  const merger = createSeriesMerger();
  for (const window of windows) merger.add(window);
  for (const totals of merger.totals()) yield windowCells(first.runId, first.second, totals);
}

/** The windows of one run, in the order of their seconds, as rows. */
export async function* windowMetricsRows(
  windows: AsyncIterable<WindowRow> | Iterable<WindowRow>,
): AsyncGenerator<CsvRow<WindowColumn>> {
  let second: WindowRow[] = [];
  for await (const window of windows) {
    if (second[0] && second[0].second !== window.second) {
      yield* mergedSecond(second);
      second = [];
    }
    second.push(window);
  }
  yield* mergedSecond(second);
}
