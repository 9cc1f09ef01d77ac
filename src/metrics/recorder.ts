import type { Clock } from '../lib/clock.ts';
import { createHistogram, type DurationHistogram } from './histogram.ts';
import type { MetricLog } from './metric-log.ts';
import type { SeriesName, WindowRow } from './series.ts';

/** What a series has come to so far, for progress. */
export interface LiveSeries {
  /** Successes. */
  count: number;
  failures: number;
  /** Of the successes. */
  sumUs: number;
  bytes: number;
  /** Of the successes up to the last closed second; null before there is one. */
  p50Us: number | null;
  p99Us: number | null;
}

/** Records in memory; rows leave once a second with `takeWindows`. */
export interface Recorder {
  /** Well under a microsecond. `bytes` are those that a success moved; the job is for the metric log alone. */
  record(series: SeriesName, durationUs: number, ok: boolean, bytes?: number, jobId?: string): void;
  /** Windows of the seconds that are over; with `all` of the current one too, which later records do not reopen. */
  takeWindows(all?: boolean): WindowRow[];
  live(series: SeriesName): LiveSeries;
}

export interface RecorderOptions {
  runId: number;
  /** Unique for each life of a process: windows of the same process and second are taken for duplicates. */
  processId: string;
  clock: Clock;
  /** Where each record is also a line. @default none */
  metricLog?: Pick<MetricLog, 'operation'> | null;
}

interface Side {
  count: number;
  sumUs: number;
  minUs: number;
  maxUs: number;
  lastUs: number;
  durations: DurationHistogram;
}

interface Window {
  second: number;
  ok: Side;
  failed: Side;
  bytes: number;
}

interface Series {
  name: SeriesName;
  window: Window | null;
  total: LiveSeries;
  merged: DurationHistogram;
}

const newSide = (): Side => ({
  count: 0,
  sumUs: 0,
  minUs: Infinity,
  maxUs: 0,
  lastUs: 0,
  durations: createHistogram(),
});

function clear(side: Side): void {
  side.count = 0;
  side.sumUs = 0;
  side.minUs = Infinity;
  side.maxUs = 0;
  side.lastUs = 0;
  side.durations.reset();
}

function add(side: Side, durationUs: number): void {
  side.count++;
  side.sumUs += durationUs;
  if (durationUs < side.minUs) side.minUs = durationUs;
  if (durationUs > side.maxUs) side.maxUs = durationUs;
  side.lastUs = durationUs;
  side.durations.record(durationUs);
}

function windowRow(runId: number, processId: string, series: SeriesName, window: Window): WindowRow {
  const { ok, failed } = window;
  return {
    runId,
    series,
    processId,
    second: window.second,
    okCount: ok.count,
    okSumUs: ok.sumUs,
    okMinUs: ok.count > 0 ? ok.minUs : null,
    okMaxUs: ok.count > 0 ? ok.maxUs : null,
    okLastUs: ok.count > 0 ? ok.lastUs : null,
    failedCount: failed.count,
    failedSumUs: failed.sumUs,
    failedMinUs: failed.count > 0 ? failed.minUs : null,
    failedMaxUs: failed.count > 0 ? failed.maxUs : null,
    bytes: window.bytes,
    okHistogram: ok.count > 0 ? ok.durations.encode() : null,
    failedHistogram: failed.count > 0 ? failed.durations.encode() : null,
  };
}

export function createRecorder({ runId, processId, clock, metricLog }: RecorderOptions): Recorder {
  const known = new Map<SeriesName, Series>();
  const closed: { series: Series; window: Window }[] = [];
  const spare: Window[] = [];
  let current = 0;

  const newSeries = (name: SeriesName): Series => {
    const total = { count: 0, failures: 0, sumUs: 0, bytes: 0, p50Us: null, p99Us: null };
    const series: Series = { name, window: null, total, merged: createHistogram() };
    known.set(name, series);
    return series;
  };

  /** Sets the open windows aside; they are encoded later, outside whatever is being timed. */
  const closeSecond = (next: number): void => {
    for (const series of known.values()) {
      if (!series.window) continue;
      closed.push({ series, window: series.window });
      series.window = null;
    }
    current = next;
  };

  const newWindow = (): Window => {
    const window = spare.pop() ?? { second: 0, ok: newSide(), failed: newSide(), bytes: 0 };
    window.second = current;
    return window;
  };

  const recycle = (window: Window): void => {
    clear(window.ok);
    clear(window.failed);
    window.bytes = 0;
    spare.push(window);
  };

  /** A wall clock that is set back does not reopen a second. */
  const toNow = (): void => {
    const second = Math.floor(clock.nowMs() / 1000);
    if (second > current) closeSecond(second);
  };

  return {
    record: (name, durationUs, ok, bytes = 0, jobId) => {
      toNow();
      const series = known.get(name) ?? newSeries(name);
      series.window ??= newWindow();
      const us = Math.round(durationUs);
      if (ok) {
        add(series.window.ok, us);
        series.window.bytes += bytes;
        series.total.count++;
        series.total.sumUs += us;
        series.total.bytes += bytes;
      } else {
        add(series.window.failed, us);
        series.total.failures++;
      }
      metricLog?.operation(runId, name, us, ok, bytes, jobId);
    },
    takeWindows: (all = false) => {
      toNow();
      if (all) closeSecond(current + 1);
      return closed.splice(0).map(({ series, window }) => {
        const row = windowRow(runId, processId, series.name, window);
        series.merged.merge(window.ok.durations);
        recycle(window);
        return row;
      });
    },
    live: (name) => {
      const series = known.get(name);
      if (!series) return { count: 0, failures: 0, sumUs: 0, bytes: 0, p50Us: null, p99Us: null };
      const { merged, total } = series;
      return { ...total, p50Us: merged.percentileUs(50), p99Us: merged.percentileUs(99) };
    },
  };
}
