import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFactPacer, MAX_QUEUED } from './fact-pacer.ts';
import type { LiveFact, QueuedJob } from './port.ts';

const job = (n: number): QueuedJob => ({
  jobId: `job-${n}`,
  queue: 'q',
  patientIteration: n,
  repeatIteration: 0,
});

describe('fact pacer', () => {
  it('keeps the newest jobs of facts that it puts together', () => {
    const told: LiveFact[] = [];
    const pacer = createFactPacer((fact) => told.push(fact));
    const last = 3 * MAX_QUEUED;
    for (let n = 0; n <= last; n++) pacer.push({ kind: 'run', runId: 1, queued: [job(n)] });
    pacer.push({ kind: 'run', runId: 1 });
    pacer.close();
    const newest = Array.from({ length: MAX_QUEUED }, (_, i) => job(last - MAX_QUEUED + 1 + i));
    assert.deepEqual(told, [
      { kind: 'run', runId: 1, queued: [job(0)] },
      { kind: 'run', runId: 1, queued: newest },
    ]);
  });

  it('tells the first fact of a run at once, the next later, and other facts always at once', () => {
    const told: LiveFact[] = [];
    const pacer = createFactPacer((fact) => told.push(fact));
    const facts: LiveFact[] = [
      { kind: 'run', runId: 1 },
      { kind: 'run_created', runId: 1 },
      { kind: 'listener', status: 'stopped', port: null, message: null },
      { kind: 'listener', status: 'running', port: 1, message: null },
      { kind: 'run', runId: 2 },
    ];
    for (const fact of facts) pacer.push(fact);
    pacer.push({ kind: 'run', runId: 1 });
    assert.deepEqual(told, facts);
    pacer.close();
    assert.deepEqual(told, [...facts, { kind: 'run', runId: 1 }]);
    pacer.push({ kind: 'run', runId: 3 });
    assert.equal(told.length, 6);
  });
});
