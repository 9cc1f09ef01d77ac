import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TEST_GENERATOR, testEnvironment } from '../../test/support/environment.ts';
import { TEST_IDENTITY } from '../../test/support/job.ts';
import { testStep, testTemplate } from '../../test/support/template.ts';
import type { Template } from '../domain/template.ts';
import { failure } from '../lib/errors.ts';
import { startState } from '../steps/start-state.ts';
import { type IterationCursor, iterate } from './iterate.ts';

const generate = testStep('GENERATE_HL7', { generator: 'order', accessionField: 'OBR.3' });
const send = testStep('SEND_MLLP', { endpoint: 'mllp', timeoutMs: 1000 });
const template = (...steps: Parameters<typeof testTemplate>[0][number][]): Template =>
  testTemplate(steps, { generators: { order: TEST_GENERATOR } });

function cursorFor(change: Partial<IterationCursor> = {}): IterationCursor {
  return {
    iteration: 1,
    state: null,
    stepIndex: 0,
    repeatsDone: 0,
    queue: null,
    executed: 0,
    mayRepeat: false,
    ...change,
  };
}

describe('iterate', () => {
  it('executes the steps in order and is done', async () => {
    const of = template(generate, send);
    const seen: string[] = [];
    const cursor = cursorFor();
    const end = await iterate(cursor, testEnvironment({ template: of }), (_, step, result) =>
      seen.push(`${step.stepOrder} ${step.stepType} ${result.ok}`),
    );
    assert.deepEqual(end, { kind: 'done' });
    assert.deepEqual(seen, ['1 GENERATE_HL7 true', '2 SEND_MLLP true']);
    assert.equal(cursor.executed, 2);
    const { accounts, message, order, orderContext } = cursor.state!;
    assert.equal(accounts.sutUs, 100);
    assert.match(message!.text, /\rOBR\|\|PLR\d{8}\|ACC\d{8}\|/);
    assert.equal(orderContext!.accessionNumber, order.accessionNumber);
  });

  it('reads the accession number from the field that the step names', async () => {
    const of = template(testStep('GENERATE_HL7', { generator: 'order', accessionField: 'OBR.2' }));
    const cursor = cursorFor();
    assert.deepEqual(await iterate(cursor, testEnvironment({ template: of }), () => {}), { kind: 'done' });
    const { order, orderContext } = cursor.state!;
    assert.equal(orderContext!.accessionNumber, order.placerOrderNumber);
  });

  it('stops at the step that fails, where a retry begins', async () => {
    const of = template(generate, send);
    const environment = testEnvironment({
      template: of,
      answer: (n) => (n === 1 ? failure('MLLP_TIMEOUT', 'no answer') : null),
    });
    const cursor = cursorFor();
    const end = await iterate(cursor, environment, () => {});
    assert.equal(end.kind, 'failed');
    assert.equal(cursor.stepIndex, 1);
    const { controlId } = cursor.state!.message!;
    assert.deepEqual(await iterate(cursor, environment, () => {}), { kind: 'done' });
    assert.equal(cursor.state!.message!.controlId, controlId);
  });

  it('hands off at an async step, and goes on with it in a job of its queue', async () => {
    const of = template(generate, { ...send, execution: 'async', queue: 'stores' });
    const cursor = cursorFor();
    const environment = testEnvironment({ template: of });
    const end = await iterate(cursor, environment, () => {});
    assert.equal(end.kind, 'hand_off');
    assert.deepEqual(await iterate({ ...cursor, queue: 'stores' }, environment, () => {}), { kind: 'done' });
    assert.equal((await iterate({ ...cursor, queue: 'other' }, environment, () => {})).kind, 'hand_off');
  });

  it('draws the patient where the first step is executed, the same one wherever that is', async () => {
    const of = template({ ...generate, execution: 'async', queue: 'orders' });
    const environment = testEnvironment({ template: of });
    const cursor = cursorFor({ iteration: 3 });
    assert.equal((await iterate(cursor, environment, () => {})).kind, 'hand_off');
    assert.equal(cursor.state, null);
    const inJob = { ...cursor, queue: 'orders' };
    await iterate(inJob, environment, () => {});
    const { patient, order } = startState(of, TEST_IDENTITY, 3);
    assert.deepEqual([inJob.state!.patient, inJob.state!.order], [patient, order]);
  });

  it('draws no patient for a wait', async () => {
    const wait = testStep('WAIT', { durationSeconds: 60 });
    const of = template({ ...wait, execution: 'async', queue: 'arrivals' }, generate);
    const cursor = cursorFor({ queue: 'arrivals' });
    const end = await iterate(cursor, testEnvironment({ template: of }), () => {});
    assert.deepEqual(end, { kind: 'wait', delayMs: 60_000 });
    assert.deepEqual([cursor.executed, cursor.state], [1, null]);
  });

  it('repeats a step as often as it says, each with a control id of its own', async () => {
    const of = template({ ...generate, repeat: { count: 3, delayMs: 0 } });
    const ids = new Set<string>();
    const end = await iterate(cursorFor(), testEnvironment({ template: of }), ({ state }) =>
      ids.add(state!.message!.controlId),
    );
    assert.equal(end.kind, 'done');
    assert.equal(ids.size, 3);
  });

  it('sleeps through a wait in the runner, and never in a job', async () => {
    const of = template(testStep('WAIT', { durationSeconds: 0.05 }), generate);
    const startedMs = performance.now();
    assert.deepEqual(await iterate(cursorFor(), testEnvironment({ template: of }), () => {}), {
      kind: 'done',
    });
    assert.ok(performance.now() - startedMs >= 49);
    const cursor = cursorFor({ queue: 'q' });
    const end = await iterate(cursor, testEnvironment({ template: of }), () => {});
    assert.deepEqual(end, { kind: 'wait', delayMs: 50 });
    assert.equal(cursor.stepIndex, 1);
  });

  it('postpones between the repetitions of a step in a job', async () => {
    const of = template({ ...generate, repeat: { count: 2, delayMs: 30 } });
    const cursor = cursorFor({ queue: 'q' });
    assert.deepEqual(await iterate(cursor, testEnvironment({ template: of }), () => {}), {
      kind: 'wait',
      delayMs: 30,
    });
    assert.deepEqual([cursor.stepIndex, cursor.repeatsDone], [0, 1]);
    assert.deepEqual(await iterate(cursor, testEnvironment({ template: of }), () => {}), { kind: 'done' });
  });

  it('ends a wait at once when the run is cancelled', async () => {
    const of = template(testStep('WAIT', { durationSeconds: 60 }));
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 20);
    const end = await iterate(
      cursorFor(),
      testEnvironment({ template: of, signal: cancel.signal }),
      () => {},
    );
    assert.equal(end.kind === 'failed' && end.failure.code, 'CANCELLED');
  });
});
