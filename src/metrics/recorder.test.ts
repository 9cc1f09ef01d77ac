import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeHistogram } from './histogram.ts';
import { createRecorder } from './recorder.ts';

function recorderAt(startMs: number) {
  const time = { nowMs: startMs };
  const nowUs = (): number => time.nowMs * 1000;
  const clock = { nowMs: () => time.nowMs, monotonicUs: nowUs, epochUs: nowUs };
  return { time, recorder: createRecorder({ runId: 7, processId: 'p', clock }) };
}

describe('a recorder', () => {
  it('gives a window a series for each second that is over', () => {
    const { time, recorder } = recorderAt(10_000);
    recorder.record('order_ack', 300, true, 70);
    recorder.record('order_ack', 100.4, true, 50);
    recorder.record('order_ack', 9000, false, 1);
    assert.deepEqual(recorder.takeWindows(), []);
    time.nowMs = 11_500;
    recorder.record('order_ack', 200, true);
    const [window, ...others] = recorder.takeWindows();
    assert.deepEqual(others, []);
    const { okHistogram, failedHistogram, ...rest } = window!;
    assert.deepEqual(rest, {
      runId: 7,
      series: 'order_ack',
      processId: 'p',
      second: 10,
      okCount: 2,
      okSumUs: 400,
      okMinUs: 100,
      okMaxUs: 300,
      okLastUs: 100,
      failedCount: 1,
      failedSumUs: 9000,
      failedMinUs: 9000,
      failedMaxUs: 9000,
      bytes: 120,
    });
    assert.equal(decodeHistogram(okHistogram!).count, 2);
    assert.equal(decodeHistogram(failedHistogram!).count, 1);
    assert.deepEqual(
      recorder.takeWindows(true).map(({ second, okCount }) => [second, okCount]),
      [[11, 1]],
    );
  });

  it('leaves the side that nothing was recorded on without times', () => {
    const { recorder } = recorderAt(0);
    recorder.record('job', 5, false);
    const [window] = recorder.takeWindows(true);
    assert.equal(window!.okMinUs, null);
    assert.equal(window!.okMaxUs, null);
    assert.equal(window!.okLastUs, null);
    assert.equal(window!.okHistogram, null);
  });

  it('gives a second once, whatever is recorded after it was taken and wherever the clock goes', () => {
    const { time, recorder } = recorderAt(10_000);
    const seconds: number[] = [];
    for (const nowMs of [10_000, 10_900, 10_100, 9_000, 10_950, 12_000, 11_000]) {
      time.nowMs = nowMs;
      recorder.record('job', 1, true);
      seconds.push(...recorder.takeWindows(true).map(({ second }) => second));
    }
    assert.equal(seconds.length, 7);
    assert.equal(new Set(seconds).size, 7);
  });

  it('starts each window of a series empty', () => {
    const { time, recorder } = recorderAt(0);
    for (let second = 0; second < 5; second++) {
      time.nowMs = second * 1000;
      recorder.record('job', 10 + second, true, 3);
      const [window] = recorder.takeWindows(true);
      assert.deepEqual(
        [window!.okCount, window!.okMinUs, window!.okMaxUs, window!.bytes],
        [1, 10 + second, 10 + second, 3],
      );
      assert.equal(decodeHistogram(window!.okHistogram!).count, 1);
    }
  });

  it('tells at any time what a series has come to', () => {
    const { time, recorder } = recorderAt(0);
    const nothing = { count: 0, failures: 0, sumUs: 0, bytes: 0, p50Us: null, p99Us: null };
    assert.deepEqual(recorder.live('order_ack'), nothing);
    recorder.record('order_ack', 100, true, 10);
    assert.deepEqual(recorder.live('order_ack'), { ...nothing, count: 1, sumUs: 100, bytes: 10 });
    recorder.record('order_ack', 100, false);
    time.nowMs = 1000;
    recorder.takeWindows();
    recorder.record('order_ack', 50, true, 10);
    const live = { count: 2, failures: 1, sumUs: 150, bytes: 20, p50Us: 100, p99Us: 100 };
    assert.deepEqual(recorder.live('order_ack'), live);
  });
});
