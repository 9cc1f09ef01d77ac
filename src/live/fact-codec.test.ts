import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeFact, encodeFact } from './fact-codec.ts';
import type { LiveFact } from './port.ts';

describe('fact codec', () => {
  it('keeps a fact under 8000 bytes, with the newest of its jobs', () => {
    const queued = Array.from({ length: 20 }, (_, n) => ({
      jobId: `job-${n}`,
      queue: 'ß'.repeat(400),
      patientIteration: n,
      repeatIteration: 0,
    }));
    const text = encodeFact({ kind: 'run', runId: 1, queued });
    assert.ok(Buffer.byteLength(text) < 8000);
    const fact = decodeFact(text);
    assert.ok(fact?.kind === 'run' && fact.queued && fact.queued.length > 0);
    assert.equal(fact.queued.at(-1)?.jobId, 'job-19');
  });

  it('cuts a long message of the listener', () => {
    const text = encodeFact({ kind: 'listener', status: 'error', port: null, message: '€'.repeat(9000) });
    assert.ok(Buffer.byteLength(text) < 8000);
    assert.equal(decodeFact(text)?.kind, 'listener');
  });

  it('reads what it wrote', () => {
    const facts: LiveFact[] = [
      { kind: 'run', runId: 1 },
      { kind: 'run_created', runId: 2 },
      { kind: 'run_over', runId: 2 },
      { kind: 'listener', status: 'stopped', port: 1, message: null },
      { kind: 'listener_message', id: 3 },
    ];
    for (const fact of facts) assert.deepEqual(decodeFact(encodeFact(fact)), fact);
  });

  it('takes anything else for no fact', () => {
    for (const text of [
      '',
      '{',
      'null',
      '7',
      '{"kind":"news"}',
      '{"kind":"run"}',
      '{"kind":"run","runId":"1"}',
    ])
      assert.equal(decodeFact(text), null);
  });
});
