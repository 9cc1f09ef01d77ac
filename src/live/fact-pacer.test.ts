import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFactPacer, MAX_QUEUED, mergeFacts } from './fact-pacer.ts';
import type { LiveFact, QueuedJob } from './port.ts';

const job = (n: number): QueuedJob => ({
  jobId: `job-${n}`,
  queue: 'q',
  patientIteration: n,
  repeatIteration: 0,
});

describe('fact pacer', () => {
  it('keeps the newest jobs of facts that it puts together', () => {
    let merged: LiveFact | null = null;
    for (let n = 1; n <= MAX_QUEUED + 5; n++)
      merged = mergeFacts(merged, { kind: 'run', runId: 1, queued: [job(n)] });
    merged = mergeFacts(merged, { kind: 'run', runId: 1 });
    assert.ok(merged.kind === 'run');
    assert.deepEqual(
      merged.queued?.map(({ patientIteration }) => patientIteration),
      Array.from({ length: MAX_QUEUED }, (_, i) => i + 6),
    );
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
