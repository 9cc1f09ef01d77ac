import type { Config } from '../config/config.ts';
import type { Clock } from '../lib/clock.ts';
import { createMetricLog, type MetricLog } from '../metrics/metric-log.ts';

/** Metric lines of this thread on standard output, as the configuration asks for them; null without any. */
export function openMetricLines(
  config: Pick<Config, 'metricLog'>,
  processId: string,
  clock: Clock,
): MetricLog | null {
  return config.metricLog ? createMetricLog({ stream: process.stdout, processId, clock }) : null;
}
