import type { SeriesSummary } from '../metrics/series-summary.ts';
import { formatBytes, formatCount, formatDuration, formatMs, formatRate, formatTable } from './format.ts';
import { healthSummary, type RunReport } from './run-report.ts';

const MAX_FAILURES_SHOWN = 5;

/** Loop delay past which latencies below it say more about the generator than about the receiver, microseconds. */
const NOTEWORTHY_LOOP_DELAY_US = 20_000;

/** The end of a run for a person: what came of it, a line a series, the first failures, where the files are. */
export function formatSummary(report: RunReport, outDir: string | null): string {
  const sections = [
    outcomeLines(report),
    seriesTable(report.summaries),
    failureLines(report),
    noteLines(report),
  ];
  if (outDir !== null) sections.push([`files: ${outDir}`]);
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function outcomeLines({ run, totals, seconds, summaries, fault }: RunReport): string[] {
  const patients = `${formatCount(totals.completed)} completed, ${formatCount(totals.failed)} failed, ${formatCount(totals.cancelled)} cancelled`;
  const lines = [
    `run ${run.id} ${run.status} after ${formatDuration(seconds)}: ${patients} of ${formatCount(run.patientCount)} patients`,
    `manifest sha256 ${totals.manifestSha256}`,
  ];
  if (fault && !fault.accountsKept) {
    const { started, completed, failed, cancelled } = fault.counted;
    lines.push(
      `the ledger is incomplete; counted in memory: ${formatCount(started)} started, ${formatCount(completed)} completed, ` +
        `${formatCount(failed)} failed, ${formatCount(cancelled)} cancelled`,
    );
  }
  const orders = summaries.find((summary) => summary.series === 'order_ack');
  const stores = summaries.find((summary) => summary.series === 'dicom_store');
  if (orders) lines.push(`orders accepted   ${formatRate(orders.ratePerSecond)} /s`);
  if (stores) {
    const { dicom } = totals;
    lines.push(`studies stored    ${formatRate(totals.studiesStored / seconds)} /s`);
    lines.push(
      `goodput           ${formatRate(dicom.successInstances / seconds)} images/s, ${formatBytes(dicom.successBytes / seconds)}/s, ` +
        `${formatCount(dicom.successInstances)} of ${formatCount(dicom.attemptedInstances)} instances, ${formatBytes(dicom.successBytes)}`,
    );
  }
  const ended = totals.completed + totals.failed;
  if (ended > 0) {
    lines.push(
      `time per patient  ${formatMs(totals.sutUs / ended)} ms on the wires, ${formatMs(totals.ownUs / ended)} ms of our own`,
    );
  }
  return lines;
}

function seriesTable(summaries: readonly SeriesSummary[]): string[] {
  if (summaries.length === 0) return [];
  const header = ['series (ms)', 'count', 'failed', '/s', 'min', 'avg', 'p50', 'p95', 'p99', 'max'];
  const rows = summaries.map((summary) => [
    summary.series,
    formatCount(summary.count),
    formatCount(summary.failures),
    formatRate(summary.ratePerSecond),
    formatMs(summary.minUs),
    formatMs(summary.avgUs),
    formatMs(summary.p50Us),
    formatMs(summary.p95Us),
    formatMs(summary.p99Us),
    formatMs(summary.maxUs),
  ]);
  return [formatTable(header, rows)];
}

function failureLines({ totals }: RunReport): string[] {
  if (totals.failures.length === 0) return [];
  const shown = totals.failures.slice(0, MAX_FAILURES_SHOWN);
  const lines = shown.map(({ code, message, count, failedStep }) => {
    const step = failedStep === null ? '' : ` at step ${failedStep}`;
    return `  ${formatCount(count)} x ${code}${step}: ${message}`;
  });
  if (totals.failures.length > shown.length)
    lines.push(`  and ${totals.failures.length - shown.length} kinds more`);
  return ['failures:', ...lines];
}

function noteLines(report: RunReport): string[] {
  const notes: string[] = [];
  const { loopDelayP99Us, cpuShareMean } = healthSummary(report.health);
  if (loopDelayP99Us !== null && loopDelayP99Us > NOTEWORTHY_LOOP_DELAY_US) {
    notes.push(
      `note: the generator's event loop was up to ${formatMs(loopDelayP99Us)} ms late (p99); latencies below that are its own`,
    );
  }
  const stores = report.summaries.find((summary) => summary.series === 'dicom_store');
  if (stores?.p50Us && stores.p50Us >= 40_000 && stores.p50Us <= 46_000) {
    notes.push(
      'note: the receiver answers at a steady 40-45 ms, as one does that leaves Nagle on: set TCP_NODELAY there',
    );
  }
  if (cpuShareMean !== null && cpuShareMean > 1.9)
    notes.push('note: the generator was bound by its processors');
  if (report.sinkNames.length > 0)
    notes.push(`endpoints that were built-in sinks: ${report.sinkNames.join(', ')}`);
  return notes;
}
