import { milliseconds } from '../../metrics/csv.ts';
import type { DepthRow } from '../../metrics/series.ts';
import { summariseSeries } from '../../metrics/series-summary.ts';
import type { RunTotals, SeriesTotals } from '../../metrics/totals.ts';
import type { WorkerThroughput } from '../../storage/server-port.ts';
import { at } from '../time.ts';

function round(value: number | null, digits = 3): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}

export function seriesToWire(totals: SeriesTotals) {
  const summary = summariseSeries(totals);
  return {
    series: totals.series,
    count: summary.count,
    failures: summary.failures,
    rate_per_second: round(summary.ratePerSecond),
    min_ms: milliseconds(summary.minUs),
    avg_ms: milliseconds(summary.avgUs),
    p50_ms: milliseconds(summary.p50Us),
    p90_ms: milliseconds(summary.p90Us),
    p95_ms: milliseconds(summary.p95Us),
    p99_ms: milliseconds(summary.p99Us),
    p999_ms: milliseconds(summary.p999Us),
    max_ms: milliseconds(summary.maxUs),
    failed_avg_ms: totals.failedCount > 0 ? milliseconds(totals.failedSumUs / totals.failedCount) : null,
    failed_max_ms: milliseconds(totals.failedMaxUs),
    bytes: summary.bytes,
  };
}

/** The first attempt's row is written at its end, so that the time of a worker begins before its first row. */
export function workerToWire({ workerId, jobs, succeeded, busyUs, firstAtMs, lastAtMs }: WorkerThroughput) {
  const seconds = (lastAtMs - firstAtMs) / 1000;
  return {
    worker_id: workerId,
    job_count: jobs,
    success_count: succeeded,
    busy_ms: busyUs / 1000,
    utilisation: seconds > 0 ? round(busyUs / 1e6 / seconds) : null,
    jobs_per_second: seconds > 0 ? round(jobs / seconds) : null,
    first_job_at: at(firstAtMs),
    last_job_at: at(lastAtMs),
  };
}

export function failuresToWire(totals: RunTotals) {
  return totals.failures.map(({ code, message, count, failedStep }) => ({
    code,
    message,
    count,
    failed_step: failedStep,
  }));
}

/** At most so many snapshots of each queue. */
const MAX_DEPTHS = 600;

/** Depths as they were sampled, thinned out where there are many; the last one of each queue always stays. */
export function depthsToWire(depths: readonly DepthRow[]) {
  const byQueue = Map.groupBy(depths, ({ queue }) => queue);
  return [...byQueue.values()].flatMap((ofQueue) => {
    const every = Math.ceil(ofQueue.length / MAX_DEPTHS);
    return ofQueue
      .filter((_, index) => index % every === 0 || index === ofQueue.length - 1)
      .map(({ queue, second, ready, unacknowledged, consumers }) => ({
        queue,
        at: at(second * 1000),
        ready,
        unacknowledged,
        consumers,
      }));
  });
}
