import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { createMetricLog, type MetricLog, OPERATION_LINES } from './metric-log.ts';
import { createRecorder } from './recorder.ts';

const NOON = Date.UTC(2026, 0, 5, 12);
const clock = { nowMs: () => NOON };

const attempt = {
  runId: 3,
  jobId: 'a-job',
  attempt: 2,
  queue: 'orders',
  jobType: null,
  outcome: 'retried',
  errorCode: 'MLLP_TIMEOUT',
  error: 'no answer',
  durationUs: 1500,
  queueWaitUs: null,
  stepsExecuted: 1,
  remainingSteps: 2,
  patientIteration: 9,
  repeatIteration: 0,
  workerId: 'w',
  possiblyRepeated: false,
  createdAtMs: NOON,
};

async function linesOf(take: (log: MetricLog) => void): Promise<Record<string, unknown>[]> {
  const stream = new PassThrough({ highWaterMark: 1e6 });
  const log = createMetricLog({ stream, processId: 'p1', clock });
  take(log);
  await log.close();
  const text = String(stream.read() ?? '');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

describe('metric log', () => {
  it('writes a line for each operation, with units in its names and the ids of run and job', async () => {
    const lines = await linesOf((log) => {
      const recorder = createRecorder({ runId: 3, processId: 'p1', clock: systemClock, metricLog: log });
      recorder.record('dicom_store', 1234.4, true, 525_000);
      recorder.record('queue_publish', 400, true, 0, 'a-job');
      recorder.record('order_ack', 5_000_000, false);
      recorder.record('step_2_send_dicom', 2000, true);
      recorder.record('dicom_store_first', 1234, true);
      recorder.record('job', 1234, true);
    });
    const common = { at: '2026-01-05T12:00:00.000Z', process_id: 'p1', run_id: 3 };
    assert.deepEqual(lines, [
      { metric: 'dicom_c_store', ...common, success: true, duration_ms: 1.234, size_bytes: 525_000 },
      { metric: 'queue_publish', ...common, job_id: 'a-job', success: true, duration_ms: 0.4 },
      { metric: 'mllp_send', ...common, success: false, duration_ms: 5000 },
      {
        metric: 'step_executed',
        ...common,
        step_order: 2,
        step_type: 'SEND_DICOM',
        success: true,
        duration_ms: 2,
      },
    ]);
  });

  it('writes a line for each attempt of a job and each end of a patient', async () => {
    const [first, second] = await linesOf((log) => {
      log.attempt(attempt);
      log.patient({
        runId: 3,
        iteration: 9,
        outcome: 'failed',
        failedStep: 2,
        errorCode: 'MLLP_TIMEOUT',
        responseUs: 3000,
        sutUs: 2000,
        ownUs: 10,
      });
    });
    assert.deepEqual(
      [
        first!.metric,
        first!.job_id,
        first!.attempt,
        first!.duration_ms,
        first!.queue_wait_ms,
        first!.success,
      ],
      ['worker_job_processed', 'a-job', 2, 1.5, null, false],
    );
    assert.deepEqual(
      [second!.metric, second!.patient_iteration, second!.response_ms, second!.failed_step],
      ['patient_finished', 9, 3, 2],
    );
  });

  it('drops what nobody takes up, and says how many', async () => {
    const stream = new PassThrough({ highWaterMark: 1 });
    const log = createMetricLog({ stream, processId: 'p1', clock, maxWaiting: 1000 });
    for (let n = 0; n < 5000; n++) log.attempt(attempt);
    assert.equal(log.dropped, 4000);
    const lines: string[] = [];
    stream.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')));
    await log.close();
    assert.equal(lines.length, 1001);
    const told = lines
      .map((line) => JSON.parse(line))
      .filter(({ metric }) => metric === 'metric_lines_dropped');
    assert.deepEqual(
      told.map(({ count }) => count),
      [4000],
    );
  });

  it('ends although nobody reads, or has gone', async () => {
    const full = new PassThrough({ highWaterMark: 1 });
    const log = createMetricLog({ stream: full, processId: 'p1', clock });
    for (let n = 0; n < 1000; n++) log.attempt(attempt);
    await log.close();
    const gone = new PassThrough();
    const other = createMetricLog({ stream: gone, processId: 'p1', clock });
    other.attempt(attempt);
    gone.emit('error', new Error('EPIPE'));
    other.attempt(attempt);
    assert.equal(other.dropped, 2);
    await other.close();
  });

  it('is documented: every line', () => {
    const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const section = text.slice(text.indexOf('## Metric lines'));
    const documented = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    assert.deepEqual(documented, [
      ...Object.values(OPERATION_LINES),
      'step_executed',
      'worker_job_processed',
      'patient_finished',
      'metric_lines_dropped',
    ]);
  });
});
