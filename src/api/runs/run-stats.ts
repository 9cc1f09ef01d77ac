import { milliseconds } from '../../metrics/csv.ts';
import type { SeriesTotals } from '../../metrics/totals.ts';
import type { EventStatus } from '../../storage/port.ts';
import type { EventFacts, RunSummary } from '../../storage/server-port.ts';
import { maybeAt } from '../time.ts';
import { eventToWire } from './run-wire.ts';

type Counts = Record<EventStatus, number>;

const none = (): Counts => ({ INFO: 0, SUCCESS: 0, FAILURE: 0, WARN: 0, DEBUG: 0 });

const STEP_SERIES = /^step_(\d+)_(.+)$/;

interface StepSeries {
  stepOrder: number;
  stepType: string;
  totals: SeriesTotals;
}

function stepSeries(series: readonly SeriesTotals[]): StepSeries[] {
  return series
    .flatMap((totals) => {
      const [, order, type] = STEP_SERIES.exec(totals.series) ?? [];
      if (order === undefined || type === undefined) return [];
      return [{ stepOrder: Number(order), stepType: type.toUpperCase(), totals }];
    })
    .sort((a, b) => a.stepOrder - b.stepOrder);
}

/**
 * Stored events are bounded and the series of the steps are not: a step has as many successes and failures as were
 * executed, or as many as are stored where that is more (its last second may not be written yet).
 */
function countByStep(
  facts: Pick<EventFacts, 'counts'>,
  series: readonly SeriesTotals[],
): Map<number, Counts> {
  const steps = new Map<number, Counts>();
  const of = (stepOrder: number): Counts => {
    const counts = steps.get(stepOrder) ?? none();
    steps.set(stepOrder, counts);
    return counts;
  };
  for (const { stepOrder, status, count } of facts.counts) of(stepOrder)[status] += count;
  for (const { stepOrder, totals } of stepSeries(series)) {
    const counts = of(stepOrder);
    counts.SUCCESS = Math.max(counts.SUCCESS, totals.okCount);
    counts.FAILURE = Math.max(counts.FAILURE, totals.failedCount);
  }
  return new Map([...steps].sort(([a], [b]) => a - b));
}

function countsToWire(counts: Counts) {
  const { INFO, SUCCESS, FAILURE, WARN, DEBUG } = counts;
  return {
    total_events: INFO + SUCCESS + FAILURE + WARN + DEBUG,
    success_events: SUCCESS,
    failure_events: FAILURE,
    warning_events: WARN,
    info_events: INFO,
    debug_events: DEBUG,
  };
}

function sum(all: Iterable<Counts>): Counts {
  const total = none();
  for (const counts of all)
    for (const status of Object.keys(total) as EventStatus[]) total[status] += counts[status];
  return total;
}

/** Seconds from the start to the end, or to now. */
function duration({ startedAtMs, completedAtMs }: RunSummary, nowMs: number): number | null {
  return startedAtMs === null ? null : Math.max(0, ((completedAtMs ?? nowMs) - startedAtMs) / 1000);
}

/** The events of a run in numbers: the kinds add up to the total, and so do the steps. */
export function runStats(run: RunSummary, facts: EventFacts, series: readonly SeriesTotals[], nowMs: number) {
  const steps = countByStep(facts, series);
  return {
    run_id: run.id,
    user_id: run.userId,
    template_id: run.templateId,
    patient_count: run.patientCount,
    status: run.status,
    started_at: maybeAt(run.startedAtMs),
    completed_at: maybeAt(run.completedAtMs),
    duration_seconds: duration(run, nowMs),
    first_event_at: maybeAt(facts.firstAtMs),
    last_event_at: maybeAt(facts.lastAtMs),
    ...countsToWire(sum(steps.values())),
    unique_steps: steps.size,
    max_iteration: Math.max(facts.maxIteration, run.startedIterations),
    last_failure: facts.lastFailure && eventToWire(facts.lastFailure),
    steps: [...steps].map(([stepOrder, counts]) => ({ step_order: stepOrder, ...countsToWire(counts) })),
    step_duration_summary: stepSeries(series).map(({ stepOrder, stepType, totals }) => ({
      step_order: stepOrder,
      step_type: stepType,
      count: totals.okCount,
      total_ms: milliseconds(totals.okSumUs),
      avg_ms: totals.okCount > 0 ? milliseconds(totals.okSumUs / totals.okCount) : null,
      min_ms: milliseconds(totals.okMinUs),
      max_ms: milliseconds(totals.okMaxUs),
      last_ms: milliseconds(totals.okLastUs),
    })),
  };
}
