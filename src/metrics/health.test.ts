import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { createHealthSampler } from './health.ts';

describe('a sample of health', () => {
  it('holds a second, shares and bytes of this process, and no delay that is negative', async () => {
    await using sampler = createHealthSampler({ runId: 3, processId: 'p', clock: systemClock });
    const row = sampler.sample();
    assert.equal(row.runId, 3);
    assert.equal(row.processId, 'p');
    assert.ok(Math.abs(row.second - Date.now() / 1000) < 60);
    assert.ok(row.cpuShare >= 0);
    assert.ok(row.rssBytes > row.heapUsedBytes);
    assert.ok(row.loopDelayP99Us >= 0 && row.loopDelayMaxUs >= 0);
  });
});
