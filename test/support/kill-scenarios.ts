import assert from 'node:assert/strict';
import type { RunRecord } from '../../src/storage/port.ts';
import { startCountingReceiver } from './counting-receiver.ts';
import { assertAccounts, type DurableBench } from './durable.ts';
import type { KillMoment, KillPoint } from './kill-points.ts';

export const KILL_QUEUES = ['kill.orders', 'kill.images'];

/** Every kind of settlement: a hop, a wait, a retry, a dead letter and an end. */
const TEMPLATE = `
name: killed
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - step_type: SEND_MLLP
    execution: async
    queue: kill.orders
    retry: {max_attempts: 2, delay_ms: 50, backoff: fixed}
  - {step_type: WAIT, parameters: {duration_seconds: 0.1}}
  - {step_type: GENERATE_DICOM, execution: async, queue: kill.images, parameters: {count: 1, generate_pixels: false}}
`;

const at = (on: KillPoint['on'], method: string, moments: readonly KillMoment[], call = 1): KillPoint[] =>
  moments.map((moment) => ({ on, method, call, moment }));

/** What a worker does that another process, or its own next life, will see. */
export const WORKER_POINTS: readonly KillPoint[] = [
  ...at('queue', 'publish', ['before', 'during', 'after']),
  ...at('store', 'writeLedger', ['before', 'during', 'after'], 2),
  ...at('delivery', 'ack', ['before', 'after', 'late'], 2),
  ...at('delivery', 'retry', ['before', 'during', 'after']),
  ...at('delivery', 'postpone', ['before', 'during', 'after']),
  ...at('delivery', 'deadLetter', ['before', 'during', 'after']),
];

/** Of a runner, in the order in which a run that is taken over again and again comes by them. */
export const RUNNER_POINTS: readonly KillPoint[] = [
  ...at('store', 'claimRun', ['before', 'during', 'after']),
  ...at('store', 'transitionRun', ['before', 'during', 'after']),
  ...at('queue', 'publish', ['before', 'during', 'after'], 3),
  ...at('store', 'writeLedger', ['before', 'during', 'after'], 2),
  ...at('store', 'renewLease', ['before', 'during', 'after']),
];

/** The end of a run; the last one leaves nothing to be killed. */
export const RUNNER_END_POINTS: readonly KillPoint[] = at('store', 'transitionRun', ['before', 'during'], 3);

export const nameOf = ({ on, method, moment }: KillPoint): string => `${moment} ${on}.${method}`;

/** A worker after the other dies at its point, then one carries the run to its end. */
export async function killWorkers(
  bench: DurableBench,
  points: readonly KillPoint[],
  patients: number,
): Promise<RunRecord> {
  await using receiver = await startCountingReceiver({ refuseEvery: 4, refuseFirstOfEvery: 3 });
  const runner = await bench.start('runner');
  const { id } = await bench.createRun({ template: TEMPLATE, patients, mllpPort: receiver.port });
  for (const point of points) {
    const worker = await bench.start('worker', { point });
    const over = bench.untilOver(id).then(() => `the run ended before ${nameOf(point)}`);
    const end = await Promise.race([worker.ended, over]);
    assert.ok(typeof end === 'object', String(end));
    assert.equal(end.signal, 'SIGKILL', end.stderr);
  }
  const worker = await bench.start('worker');
  const run = await bench.untilOver(id);
  await bench.untilEmpty();
  await bench.stop(worker, runner);
  assert.equal(run.status, 'COMPLETED');
  const totals = await assertAccounts(bench, run, receiver);
  assert.equal(run.startedIterations, patients);
  assert.equal(totals.failed, receiver.refused, 'exactly the patients failed whose messages are refused');
  assert.equal(totals.jobsDead, receiver.refused);
  return run;
}

/** A runner after the other dies at its point and leaves the run to the next. */
export async function killRunners(
  bench: DurableBench,
  points: readonly KillPoint[],
  endPoints: readonly KillPoint[],
  patients: number,
): Promise<RunRecord> {
  await using receiver = await startCountingReceiver({ refuseEvery: 4, refuseFirstOfEvery: 3 });
  const { id } = await bench.createRun({
    template: TEMPLATE,
    patients,
    mllpPort: receiver.port,
    concurrency: 1,
  });
  const killAt = async (point: KillPoint): Promise<void> => {
    const runner = await bench.start('runner', { point });
    const end = await runner.ended;
    assert.equal(end.signal, 'SIGKILL', end.stderr);
  };
  for (const point of points) await killAt(point);
  const worker = await bench.start('worker');
  for (const point of endPoints) await killAt(point);
  const runner = await bench.start('runner');
  const run = await bench.untilOver(id);
  await bench.untilEmpty();
  await bench.stop(worker, runner);
  assert.equal(run.status, 'COMPLETED');
  const totals = await assertAccounts(bench, run, receiver);
  assert.equal(run.startedIterations, patients);
  assert.equal(totals.failed, receiver.refused, 'exactly the patients failed whose messages are refused');
  return run;
}
