import assert from 'node:assert/strict';
import type { RunRecord } from '../../src/storage/port.ts';
import { type CountingReceiver, startCountingReceiver } from './counting-receiver.ts';
import { allDeadLetters, assertAccounts, type DurableBench } from './durable.ts';
import { EVERY_SETTLEMENT, KILL_QUEUES } from './kill-scenarios.ts';

/** No delay between the last job and the end: jobs may end before the runner knows that it has started all. */
const AT_ONCE = EVERY_SETTLEMENT.replace(/^ {2}- \{step_type: WAIT.*\n/m, '');
/** Some have both queues, waits and dead letters; the most are over before their runner looks for the first time. */
const PATIENTS = [1, 2, 3, 8];
const UNDER_WAY = 8;

export interface ShortRuns {
  runs: number;
  patients: number;
  failed: number;
}

/** Short runs, a few at a time, with two runners and two workers: each ends in the right state with the right totals. */
export async function carryShortRuns(bench: DurableBench, runs: number): Promise<ShortRuns> {
  const processes = await Promise.all([
    ...['runner', 'runner'].map(() => bench.start('runner')),
    ...['worker', 'worker'].map(() => bench.start('worker')),
  ]);
  await using receivers = new AsyncDisposableStack();
  const ended: { run: RunRecord; receiver: CountingReceiver; patients: number }[] = [];
  let next = 0;
  const carry = async (): Promise<void> => {
    while (next < runs) {
      const number = next++;
      const patients = PATIENTS[number % PATIENTS.length]!;
      const receiver = receivers.use(await startCountingReceiver({ refuseEvery: 3 }));
      const { id } = await bench.createRun({
        template: number % 2 === 0 ? AT_ONCE : EVERY_SETTLEMENT,
        patients,
        mllpPort: receiver.port,
        onFailure: number % 3 === 0 ? 'fail_run' : 'continue',
      });
      const run = await bench.untilOver(id);
      await bench.untilSettled(id);
      ended.push({ run, receiver, patients });
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, carry));
  // The last dead letters leave after their rows.
  await bench.stop(...processes);
  const sums: ShortRuns = { runs, patients: 0, failed: 0 };
  const letters = await allDeadLetters(bench, KILL_QUEUES);
  for (const { run, receiver, patients } of ended) {
    const totals = await assertAccounts(bench, run, receiver, letters);
    assert.equal(totals.failed, receiver.refused);
    if (run.onFailure === 'continue') assert.equal(run.startedIterations, patients);
    const isFailedRun = totals.failed > 0 && run.onFailure === 'fail_run';
    assert.equal(run.status, isFailedRun ? 'ERROR' : 'COMPLETED');
    assert.deepEqual([totals.duplicates, totals.possiblyRepeated], [0, 0], 'nothing was repeated');
    sums.patients += run.startedIterations;
    sums.failed += totals.failed;
  }
  return sums;
}
