import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jobIdOf } from './job-id.ts';

const KEY = { deploymentId: 'd', runId: 303, iteration: 1_000_000, segment: 2 };
/** RFC 9562, sections 4.1, 4.2 and 5.8. */
const VERSION_8 = /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe('the id of a job', () => {
  it('is a UUID of version 8 that shows the run, the patient and the segment', () => {
    assert.match(jobIdOf(KEY), VERSION_8);
    assert.match(jobIdOf(KEY), /^0000012f-00f4-8240-8002-/);
  });

  it('is the same for the same key, between others too', () => {
    const first = jobIdOf(KEY);
    jobIdOf({ ...KEY, deploymentId: 'e' });
    assert.equal(jobIdOf(KEY), first);
  });

  it('is another for any other key, where a number outgrows its bits too', () => {
    const keys = [
      KEY,
      { ...KEY, deploymentId: 'e' },
      { ...KEY, runId: 304 },
      { ...KEY, runId: 303 + 2 ** 32 },
      { ...KEY, iteration: 1_000_001 },
      { ...KEY, iteration: 1_000_000 + 2 ** 28 },
      { ...KEY, segment: 3 },
      { ...KEY, segment: 2 + 2 ** 12 },
    ];
    const ids = keys.map(jobIdOf);
    assert.equal(new Set(ids).size, keys.length);
    for (const id of ids) assert.match(id, VERSION_8);
  });

  it('ascends with the patients of a run, and with the segments of a patient', () => {
    const ids = Array.from({ length: 70_000 }, (_, n) => jobIdOf({ ...KEY, iteration: n + 1, segment: 1 }));
    assert.deepEqual([...ids].sort(), ids);
    const segments = Array.from({ length: 20 }, (_, n) => jobIdOf({ ...KEY, segment: n + 1 }));
    assert.deepEqual([...segments].sort(), segments);
  });
});
