import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createDicomSink, DICOM_FAULTS } from '../../src/sink/dicom-sink.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS } from '../../src/sink/mllp-sink.ts';
import { openTestBench, type TestBench, type TestRunEnd, templateFrom } from '../support/run.ts';

const ORDERS = `
name: orders
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, parameters: {timeout_ms: 300}}
`;

const STUDIES = `
name: studies
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - step_type: GENERATE_DICOM
    execution: async
    retry: {max_attempts: 3, delay_ms: 10, backoff: fixed}
    parameters: {count: 3, modality: CT, generate_pixels: false}
  - {step_type: SEND_DICOM, parameters: {timeout_ms: 300}}
`;

/** Whatever happened: each started iteration ended once, and the ledger says what the process counted. */
function assertAccounts({ totals, counted, run }: TestRunEnd): void {
  assert.equal(counted.started, counted.completed + counted.failed + counted.cancelled);
  assert.deepEqual(
    [totals.completed, totals.failed, totals.cancelled],
    [counted.completed, counted.failed, counted.cancelled],
  );
  assert.equal(run.startedIterations, counted.started);
}

const codes = ({ totals }: TestRunEnd): Record<string, number> =>
  Object.fromEntries(totals.failures.map(({ code, count }) => [code, count]));

describe('a run against receivers that misbehave', () => {
  let bench: TestBench;
  before(async () => {
    bench = await openTestBench();
  });
  after(() => bench.close());

  const MLLP_CASES = [
    ['AE', 'MLLP_NAK_ERROR'],
    ['AR', 'MLLP_NAK_REJECT'],
    ['CR', 'MLLP_NAK_REJECT'],
    ['wrong-id', 'MLLP_WRONG_ACK'],
    ['silent', 'MLLP_TIMEOUT'],
    ['close', 'MLLP_CLOSED'],
    ['cut', 'MLLP_CLOSED'],
    ['garbage', 'MLLP_GARBAGE'],
  ] as const;
  for (const [fault, code] of MLLP_CASES) {
    it(`counts each "${fault}" of an MLLP receiver as ${code} and goes on`, async () => {
      await using sink = await createMllpSink({ faultPlan: parseFaultPlan(`${fault}/5`, MLLP_FAULTS) });
      const end = await bench.run({
        template: templateFrom(ORDERS),
        patients: 20,
        concurrency: 1,
        mllpPort: sink.port,
      });
      assertAccounts(end);
      assert.equal(end.run.status, 'COMPLETED');
      assert.deepEqual(codes(end), { [code]: 4 });
      assert.equal(end.totals.completed, 16);
      assert.equal(sink.counts().received, 20);
    });
  }

  it('reads an acknowledgement that comes in pieces', async () => {
    await using sink = await createMllpSink({ faultPlan: parseFaultPlan('split/1', MLLP_FAULTS) });
    const end = await bench.run({ template: templateFrom(ORDERS), patients: 10, mllpPort: sink.port });
    assertAccounts(end);
    assert.equal(end.totals.completed, 10);
  });

  it('names an endpoint that refuses, and one whose name does not resolve', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const refused = await bench.run({ template: templateFrom(ORDERS), patients: 3, mllpPort: port });
    assertAccounts(refused);
    assert.deepEqual(codes(refused), { CONNECT_REFUSED: 3 });
    const unknown = await bench.run({
      template: templateFrom(ORDERS),
      patients: 2,
      mllpHost: 'no-such-host.invalid',
    });
    assertAccounts(unknown);
    assert.deepEqual(codes(unknown), { NAME_NOT_FOUND: 2 });
  });

  it('ends ERROR at the first failure under fail_run, and starts no further patient', async () => {
    await using sink = await createMllpSink({ faultPlan: parseFaultPlan('AR/5', MLLP_FAULTS) });
    const end = await bench.run({
      template: templateFrom(ORDERS),
      patients: 100,
      concurrency: 1,
      onFailure: 'fail_run',
      mllpPort: sink.port,
    });
    assertAccounts(end);
    assert.equal(end.run.status, 'ERROR');
    assert.deepEqual([end.totals.completed, end.totals.failed], [4, 1]);
  });

  const DICOM_CASES = [
    ['reject/1', 'DICOM_ASSOCIATION_REJECTED', 9],
    ['reject-for-good/1', 'DICOM_ASSOCIATION_REJECTED', 3],
    ['status:A700/1', 'DICOM_STORE_FAILED', 9],
    ['status:C000/1', 'DICOM_STORE_FAILED', 3],
    ['status:0122/1', 'DICOM_STORE_FAILED', 3],
    ['abort/1', 'DICOM_ABORTED', 9],
    ['close/1', 'DICOM_CLOSED', 9],
    ['silent/1', 'DICOM_TIMEOUT', 9],
  ] as const;
  for (const [plan, code, attempts] of DICOM_CASES) {
    it(`gives up on "${plan}" of a storage receiver as ${code} after ${attempts / 3} attempt(s)`, async () => {
      await using sink = await createDicomSink({ faultPlan: parseFaultPlan(plan, DICOM_FAULTS) });
      const end = await bench.run({ template: templateFrom(STUDIES), patients: 3, dicomPort: sink.port });
      assertAccounts(end);
      assert.equal(end.run.status, 'COMPLETED');
      assert.deepEqual(codes(end), { [code]: 3 });
      assert.equal(end.totals.attempts, attempts);
      assert.equal(end.totals.jobs, 3);
      assert.equal(end.totals.jobsDead, 3);
      assert.equal(end.totals.dicom.successInstances, 0);
    });
  }

  it('counts a warning status as stored', async () => {
    await using sink = await createDicomSink({ faultPlan: parseFaultPlan('status:B000/1', DICOM_FAULTS) });
    const end = await bench.run({ template: templateFrom(STUDIES), patients: 3, dicomPort: sink.port });
    assertAccounts(end);
    assert.equal(end.totals.completed, 3);
    assert.equal(end.totals.dicom.successInstances, 9);
  });

  it('sends only what is missing on a retry', async () => {
    await using sink = await createDicomSink({ faultPlan: parseFaultPlan('status:A700/2', DICOM_FAULTS) });
    const end = await bench.run({ template: templateFrom(STUDIES), patients: 1, dicomPort: sink.port });
    assertAccounts(end);
    assert.equal(end.totals.completed, 1);
    assert.deepEqual([end.totals.dicom.attemptedInstances, end.totals.dicom.successInstances], [5, 3]);
    assert.equal(sink.counts().instances, 3);
    assert.equal(end.totals.attempts, 3);
    assert.equal(end.totals.jobs, 1);
  });

  it('says which SOP class a receiver refuses', async () => {
    await using sink = await createDicomSink({ aeTitle: 'SOMEBODY' });
    const end = await bench.run({ template: templateFrom(STUDIES), patients: 1, dicomPort: sink.port });
    assertAccounts(end);
    assert.deepEqual(codes(end), { DICOM_ASSOCIATION_REJECTED: 1 });
    assert.match(end.totals.failures[0]!.message, /called AE title not recognised/i);
  });

  it('ends CANCELLED when it is stopped, with every started patient accounted for', async () => {
    await using sink = await createMllpSink({ faultPlan: parseFaultPlan('delay:20/1', MLLP_FAULTS) });
    const end = await bench.run({
      template: templateFrom(ORDERS),
      patients: 10_000,
      mllpPort: sink.port,
      during: (engine) => setTimeout(() => engine.stop(), 150),
    });
    assertAccounts(end);
    assert.equal(end.run.status, 'CANCELLED');
    assert.ok(end.run.completedAtMs !== null);
    assert.ok(end.counted.started < 10_000);
  });

  it('does not wait for retries and waits when it is stopped', async () => {
    const waiting = templateFrom(`
name: waiting
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: WAIT, execution: async, parameters: {duration_seconds: 600}}
`);
    const startedMs = performance.now();
    const end = await bench.run({
      template: waiting,
      patients: 4,
      during: (engine) => setTimeout(() => engine.stop(), 200),
    });
    assertAccounts(end);
    assert.equal(end.run.status, 'CANCELLED');
    assert.equal(end.totals.cancelled, 4);
    assert.ok(performance.now() - startedMs < 60_000);
  });
});
