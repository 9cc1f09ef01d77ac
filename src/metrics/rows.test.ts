import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noDicomAccounts } from '../domain/job.ts';
import { createHistogram } from './histogram.ts';
import { createSeriesMerger } from './merge-series.ts';
import { RUN_CSV_COLUMNS, runMetricsRow } from './run-row.ts';
import type { WindowRow } from './series.ts';
import { summariseSeries } from './series-summary.ts';
import type { RunTotals, SeriesTotals } from './totals.ts';
import { WINDOW_CSV_COLUMNS, windowMetricsRows } from './window-row.ts';
import { WORKER_CSV_COLUMNS, workerMetricsRow } from './worker-row.ts';

function window(
  series: string,
  second: number,
  processId: string,
  durationsUs: readonly number[],
): WindowRow {
  const histogram = createHistogram();
  for (const durationUs of durationsUs) histogram.record(durationUs);
  return {
    runId: 1,
    series,
    processId,
    second,
    okCount: durationsUs.length,
    okSumUs: durationsUs.reduce((a, b) => a + b, 0),
    okMinUs: Math.min(...durationsUs),
    okMaxUs: Math.max(...durationsUs),
    okLastUs: durationsUs.at(-1) ?? null,
    failedCount: 1,
    failedSumUs: 9000,
    failedMinUs: 9000,
    failedMaxUs: 9000,
    bytes: 100,
    okHistogram: histogram.encode(),
    failedHistogram: null,
  };
}

function totalsOf(...windows: WindowRow[]): SeriesTotals[] {
  const merger = createSeriesMerger();
  for (const each of windows) merger.add(each);
  return merger.totals();
}

async function windowRows(windows: readonly WindowRow[]) {
  const rows = [];
  for await (const row of windowMetricsRows(windows)) rows.push(row);
  return rows;
}

const RUN = {
  id: 4,
  userId: null,
  templateId: null,
  status: 'COMPLETED',
  template: { name: '=orders' },
  identity: { seed: 7, namespace: 0 },
  patientCount: 10,
  startedIterations: 9,
  createdAtMs: 1_000,
  updatedAtMs: 7_000,
  startedAtMs: 2_000,
  completedAtMs: 6_000,
};

const NOTHING: RunTotals = {
  runId: 4,
  completed: 0,
  failed: 0,
  cancelled: 0,
  jobs: 0,
  jobsSucceeded: 0,
  jobsDead: 0,
  requeued: 0,
  attempts: 0,
  attemptsSucceeded: 0,
  attemptDurationSumUs: 0,
  attemptDurationMinUs: null,
  attemptDurationMaxUs: null,
  duplicates: 0,
  possiblyRepeated: 0,
  sutUs: 0,
  ownUs: 0,
  dicom: noDicomAccounts(),
  studiesStored: 0,
  queueMaxDepth: null,
  queueLastDepth: null,
  manifestSha256: 'ab',
  failures: [],
  series: [],
};

describe('a summary of a series', () => {
  it('counts successes and failures apart and takes percentiles of the successes', () => {
    const [totals] = totalsOf(window('job', 10, 'a', [100, 200]), window('job', 13, 'b', [300, 1000]));
    const summary = summariseSeries(totals!);
    assert.equal(summary.count, 4);
    assert.equal(summary.failures, 2);
    assert.equal(summary.ratePerSecond, 1);
    assert.equal(summary.minUs, 100);
    assert.equal(summary.avgUs, 400);
    assert.equal(summary.maxUs, 1000);
    assert.equal(summary.p999Us, 1000, 'a percentile is not above the maximum');
    assert.ok(Math.abs(summary.p50Us! - 200) <= 2);
    assert.equal(summariseSeries(totals!, 2).ratePerSecond, 2);
  });

  it('has the last success of the last second that has one, in whatever order the windows come', () => {
    const failuresOnly = { ...window('job', 3, 'b', [1]), okCount: 0, okLastUs: null };
    const windows = [window('job', 2, 'b', [50, 20]), window('job', 1, 'a', [70]), failuresOnly];
    for (const order of [windows, windows.toReversed()]) {
      const [totals] = totalsOf(...order);
      assert.equal(totals!.okLastUs, 20);
    }
    assert.equal(totalsOf(failuresOnly)[0]!.okLastUs, null);
  });

  it('orders steps by number', () => {
    const names = ['step_10_wait', 'step_2_send_mllp', 'job'].map((name) => window(name, 1, 'a', [1]));
    assert.deepEqual(
      totalsOf(...names).map(({ series }) => series),
      ['job', 'step_2_send_mllp', 'step_10_wait'],
    );
  });
});

describe('the row of a run', () => {
  it('begins with the 41 columns of the contract and has a cell for every column', () => {
    assert.equal(RUN_CSV_COLUMNS.indexOf('updated_at'), 40);
    assert.equal(RUN_CSV_COLUMNS[0], 'run_id');
    assert.equal(new Set(RUN_CSV_COLUMNS).size, RUN_CSV_COLUMNS.length);
    const row = runMetricsRow(RUN, NOTHING);
    assert.deepEqual(Object.keys(row).sort(), [...RUN_CSV_COLUMNS].sort());
    for (const column of RUN_CSV_COLUMNS) assert.notEqual(row[column], undefined, column);
  });

  it('takes averages as sum by count, null when the count is 0, and rates over the wall clock', () => {
    const series = totalsOf(
      window('queue_publish', 2, 'a', [1000, 3000]),
      window('order_ack', 2, 'a', [100, 100]),
      window('step_2_send_mllp', 2, 'a', [2000, 4000]),
      window('step_1_generate_hl7', 2, 'a', [10]),
    );
    const row = runMetricsRow(RUN, {
      ...NOTHING,
      series,
      completed: 6,
      failed: 2,
      cancelled: 1,
      attempts: 2,
      attemptDurationSumUs: 5000,
      studiesStored: 2,
      dicom: { ...NOTHING.dicom, successBytes: 8e6, throughputSumMbps: 10, throughputCount: 4 },
    });
    assert.equal(row.wall_clock_seconds, 4);
    assert.equal(row.orders_per_second, 2);
    assert.equal(row.orders_accepted_per_second, 0.5);
    assert.equal(row.studies_stored_per_second, 0.5);
    assert.equal(row.dicom_goodput_megabytes_per_second, 2);
    assert.equal(row.queue_publish_avg_ms, 2);
    assert.equal(row.worker_job_duration_avg_ms, 2.5);
    assert.equal(row.dicom_throughput_avg_mbps, 2.5);
    assert.equal(row.dicom_send_avg_ms, null);
    assert.equal(row.response_p99_ms, null);
    assert.equal(row.order_ack_p50_ms, 0.1);
    assert.equal(row.started_at, '1970-01-01T00:00:02.000Z');
    assert.deepEqual(JSON.parse(String(row.step_durations)), [
      {
        step_order: 1,
        step_type: 'GENERATE_HL7',
        count: 1,
        total_ms: 0.01,
        avg_ms: 0.01,
        min_ms: 0.01,
        max_ms: 0.01,
      },
      { step_order: 2, step_type: 'SEND_MLLP', count: 2, total_ms: 6, avg_ms: 3, min_ms: 2, max_ms: 4 },
    ]);
  });

  it('has no rate before the run is over', () => {
    const row = runMetricsRow({ ...RUN, completedAtMs: null }, { ...NOTHING, completed: 5 });
    assert.equal(row.wall_clock_seconds, null);
    assert.equal(row.orders_per_second, null);
  });
});

describe('the row of an attempt', () => {
  it('begins with the 13 columns of the contract', () => {
    const row = workerMetricsRow({
      id: 9,
      runId: 4,
      jobId: 'j',
      attempt: 2,
      queue: 'q',
      jobType: null,
      outcome: 'retried',
      errorCode: 'MLLP_TIMEOUT',
      error: 'no answer',
      durationUs: 1234,
      queueWaitUs: null,
      stepsExecuted: 1,
      remainingSteps: 2,
      patientIteration: 3,
      repeatIteration: 1,
      workerId: 'w',
      possiblyRepeated: false,
      createdAtMs: 0,
    });
    assert.equal(WORKER_CSV_COLUMNS.indexOf('created_at'), 12);
    assert.deepEqual(Object.keys(row), [...WORKER_CSV_COLUMNS]);
    assert.equal(row.success, false);
    assert.equal(row.duration_ms, 1.234);
    assert.equal(row.queue_wait_ms, null);
  });
});

describe('the rows of seconds', () => {
  it('are one a second and series, all processes together', async () => {
    const windows = [
      window('job', 10, 'a', [100]),
      window('job', 10, 'b', [300]),
      window('order_ack', 10, 'a', [50]),
      window('job', 11, 'a', [70]),
    ];
    const rows = await windowRows(windows);
    assert.deepEqual(
      rows.map(({ second, series, count }) => [second, series, count]),
      [
        [10, 'job', 2],
        [10, 'order_ack', 1],
        [11, 'job', 1],
      ],
    );
    assert.deepEqual(Object.keys(rows[0]!), [...WINDOW_CSV_COLUMNS]);
    assert.equal(rows[0]!.avg_ms, 0.2);
    assert.equal(rows[0]!.failed_avg_ms, 9);
    assert.equal(rows[0]!.at, '1970-01-01T00:00:10.000Z');
  });

  it('are none without windows', async () => {
    assert.deepEqual(await windowRows([]), []);
  });
});
