import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunIdentity } from './identity.ts';
import { type IterationState, JOB_SCHEMA_VERSION, type Job, noDicomAccounts } from './job.ts';
import { decodeJob, encodeJob } from './job-schema.ts';
import { createDigestSum } from './manifest.ts';
import { orderAt } from './orders.ts';
import { patientAt } from './population.ts';
import { DEFAULT_RETRY } from './template.ts';

const IDENTITY: RunIdentity = { seed: 7, namespace: 0, clockStartMs: Date.UTC(2026, 0, 5), uidRoot: null };

/** Of an iteration whose message was generated. */
function sampleState(): IterationState {
  const patient = patientAt(IDENTITY, 0);
  const order = orderAt(IDENTITY, 1, patient, { caseMix: { CT: 1 }, stations: [], steps: [] });
  return {
    patient,
    order,
    message: { text: 'MSH|^~\\&|', controlId: 'Y1' },
    orderContext: null,
    worklistItem: null,
    performedStep: null,
    studies: [],
    unsent: null,
    accounts: {
      sutUs: 1,
      ownUs: 2,
      dicom: noDicomAccounts(),
      digest: createDigestSum(),
    },
  };
}

function sampleJob(): Job {
  return {
    schemaVersion: JOB_SCHEMA_VERSION,
    deploymentId: 'd',
    jobId: 'j',
    runId: 1,
    iteration: 1,
    segment: 1,
    queue: 'q',
    jobType: null,
    metadata: { priority: 'high', nested: { a: [1, null] } },
    retry: DEFAULT_RETRY,
    attempt: 1,
    remainingSteps: [3, 4],
    repeatsDone: 0,
    state: sampleState(),
    intendedStartUs: 1,
    publishedAtUs: 2,
    possiblyRepeated: false,
  };
}

function refusal(text: string): { code: string; message: string; retryable: boolean } {
  const result = decodeJob(text);
  assert.ok(!result.ok);
  return result;
}

describe('job messages', () => {
  it('come back as they were sent', () => {
    const job = sampleJob();
    assert.deepEqual(decodeJob(encodeJob(job)), { ok: true, job });
  });

  it('of a newer version may be tried again, by a newer worker', () => {
    const refused = refusal(encodeJob({ ...sampleJob(), schemaVersion: 5 as 4 }));
    assert.equal(refused.code, 'JOB_VERSION');
    assert.equal(refused.retryable, true);
    assert.match(refused.message, /version 5.*update the workers/);
  });

  it('of which nothing was executed carry no state', () => {
    const job = { ...sampleJob(), state: null };
    assert.deepEqual(decodeJob(encodeJob(job)), { ok: true, job });
  });

  it('leave out what is usual', () => {
    const { metadata: _m, state: _s, ...usual } = sampleJob();
    const job: Job = { ...usual, metadata: {}, state: null };
    const sent = JSON.parse(encodeJob(job));
    assert.deepEqual(Object.keys(sent).sort(), [
      ...['deploymentId', 'intendedStartUs', 'iteration', 'jobId', 'publishedAtUs', 'queue'],
      ...['remainingSteps', 'runId', 'schemaVersion', 'segment'],
    ]);
    assert.deepEqual(decodeJob(encodeJob(job)), { ok: true, job });
  });

  it('carry what is not usual', () => {
    const job: Job = {
      ...sampleJob(),
      jobType: 'store',
      retry: { ...DEFAULT_RETRY, delayMs: DEFAULT_RETRY.delayMs + 1 },
      attempt: 2,
      attemptsALife: 3,
      repeatsDone: 4,
      possiblyRepeated: true,
    };
    assert.deepEqual(decodeJob(encodeJob(job)), { ok: true, job });
  });

  it('of the version before, which left out nothing, are read', () => {
    const job = { ...sampleJob(), state: null, metadata: {} };
    assert.deepEqual(decodeJob(JSON.stringify({ ...job, schemaVersion: 3 })), { ok: true, job });
  });

  it('have no step left after a wait at the end of the template', () => {
    const job = { ...sampleJob(), remainingSteps: [] };
    assert.deepEqual(decodeJob(encodeJob(job)), { ok: true, job });
  });

  it('of no version that is read are refused with it, and with those that are', () => {
    const cases: [version: unknown, told: string][] = [
      [0, 'it is 0'],
      [2, 'it is 2'],
      ['4', 'it is "4"'],
      [undefined, 'it is missing'],
    ];
    for (const [schemaVersion, told] of cases) {
      const refused = refusal(JSON.stringify({ ...sampleJob(), schemaVersion }));
      assert.equal(refused.code, 'JOB_INVALID');
      assert.match(refused.message, new RegExp(`: schemaVersion: ${told}, this program reads 3 and 4: `));
    }
  });

  it('that are something else are refused with the field that shows it', () => {
    assert.equal(refusal('not json').code, 'JOB_INVALID');
    assert.equal(refusal('null').code, 'JOB_INVALID');
    assert.equal(refusal('{}').code, 'JOB_INVALID');
    assert.match(refusal(encodeJob({ ...sampleJob(), remainingSteps: [0] })).message, /remainingSteps/);
    assert.match(refusal(encodeJob({ ...sampleJob(), iteration: 0 })).message, /iteration: .*from 1/);
    const changes: [field: string, value: unknown][] = [
      ['deploymentId', ''],
      ['runId', -1],
      ['queue', 7],
      ['jobType', false],
      ['metadata', 'none'],
      ['retry', null],
      ['retry', { ...DEFAULT_RETRY, maxAttempts: 0 }],
      ['retry', { ...DEFAULT_RETRY, backoff: 'random' }],
      ['attempt', 1.5],
      ['attemptsALife', 0],
      ['state', 7],
      ['publishedAtUs', null],
      ['possiblyRepeated', 'no'],
    ];
    for (const [field, value] of changes)
      assert.match(
        refusal(JSON.stringify({ ...sampleJob(), [field]: value })).message,
        new RegExp(`^queue message is no job of this program: ${field}[.:].*expected `),
      );
    const withState = (change: object): string =>
      JSON.stringify({ ...sampleJob(), state: { ...sampleState(), ...change } });
    assert.match(refusal(withState({ patient: 'ZZTEST' })).message, /state\.patient: .*object/);
    assert.match(refusal(withState({ order: null })).message, /state\.order/);
    assert.match(refusal(withState({ message: [] })).message, /state\.message/);
    assert.match(refusal(withState({ studies: [1] })).message, /state\.studies: .*list of objects/);
    for (const digest of [
      [1, 2],
      [0, 0, 0, 0, 0, 0, 0, -1],
    ]) {
      const accounts = { ...sampleState().accounts, digest };
      assert.match(refusal(withState({ accounts })).message, /accounts\.digest: .*8 words/);
    }
  });
});
