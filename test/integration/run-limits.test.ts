import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createMllpSink } from '../../src/sink/mllp-sink.ts';
import { ORDERS, openTestBench, type TestBench, templateFrom } from '../support/run.ts';

const limits = { maxConnections: 2, maxPerSecond: null, maxBytes: null, ramp: false };

describe('a run against a receiver with limits', () => {
  let bench: TestBench;
  before(async () => {
    bench = await openTestBench();
  });
  after(() => bench.close());

  it('stops itself when the receiver has had its bytes', async () => {
    await using sink = await createMllpSink({});
    const maxBytes = 5000;
    const end = await bench.run({
      template: templateFrom(ORDERS),
      patients: 1000,
      mllpPort: sink.port,
      limits: { mllp: { ...limits, maxBytes } },
    });
    assert.equal(end.run.status, 'CANCELLED');
    assert.ok(sink.counts().bytes <= maxBytes);
    assert.ok(end.totals.completed > 0);
    assert.equal(end.totals.completed, sink.counts().received);
    assert.equal(end.counted.started, end.totals.completed + end.totals.failed + end.totals.cancelled);
  });

  it('sends no faster than the receiver allows', async () => {
    await using sink = await createMllpSink({});
    const startedMs = performance.now();
    const end = await bench.run({
      template: templateFrom(ORDERS),
      patients: 21,
      mllpPort: sink.port,
      limits: { mllp: { ...limits, maxPerSecond: 50 } },
    });
    assert.equal(end.totals.completed, 21);
    assert.ok(performance.now() - startedMs >= 395);
  });
});
