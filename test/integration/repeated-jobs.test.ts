import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { createMemoryQueue } from '../../src/queue/memory/memory-queue.ts';
import type { QueuePort } from '../../src/queue/port.ts';
import { createLedgerClock } from '../../src/roles/ledger-clock.ts';
import { startWorkerRole } from '../../src/roles/worker-role.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS } from '../../src/sink/mllp-sink.ts';
import { startState } from '../../src/steps/start-state.ts';
import type { PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import type { AttemptOutcome } from '../../src/storage/port.ts';
import { attemptRow, batchOf } from '../conformance/ledger-rows.ts';
import { TEST_IDENTITY, testJob } from '../support/job.ts';
import { openTestLedger, type TestLedger } from '../support/ledger.ts';
import { queuedRun, templateFrom } from '../support/run.ts';
import { untilAnswer } from '../support/until.ts';

const QUEUE = 'repeated';
const TEMPLATE = templateFrom(`
name: repeated
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, execution: async, queue: ${QUEUE}}
`);

describe('a message whose job another message, or another life of its worker, has settled', () => {
  let ledger: TestLedger;
  let store: PgliteStore;
  before(async () => {
    ledger = await openTestLedger();
    store = ledger.store;
  });
  after(() => ledger.close());

  /** What becomes of it: messages at a receiver that refuses all, and dead letters. */
  const workOff = async (
    settled: AttemptOutcome | null,
    deliveryCount: number,
  ): Promise<{ received: number; dead: number; runId: number }> => {
    await using refusing = await createMllpSink({ faultPlan: parseFaultPlan('AR/1', MLLP_FAULTS) });
    const { id: runId } = await store.createRun(queuedRun(TEMPLATE, 1, refusing.port));
    const { id: deploymentId } = await store.deployment();
    const jobId = crypto.randomUUID();
    if (settled) {
      const error = settled === 'success' ? null : 'refused';
      const errorCode = error && 'MLLP_NAK_ERROR';
      await store.writeLedger(
        batchOf({
          attempts: [attemptRow(runId, { jobId, queue: QUEUE, outcome: settled, error, errorCode })],
        }),
      );
    }
    await using memory = createMemoryQueue();
    const queue: QueuePort = {
      ...memory,
      consume: (name, options, handle) =>
        memory.consume(name, options, (delivery) => handle({ ...delivery, deliveryCount })),
    };
    await queue.declare([QUEUE]);
    const message = { text: 'MSH|^~\\&|A|B|C|D|1||ORM^O01|7|T|2.5\r', controlId: '7' };
    const state = { ...startState(TEMPLATE, TEST_IDENTITY, 1), message };
    const retry = { maxAttempts: 1, delayMs: 0, backoff: 'fixed' as const, maxDelayMs: 0 };
    await queue.publish(testJob({ deploymentId, jobId, runId, queue: QUEUE, retry, state }));
    await using _worker = await startWorkerRole({
      ...{ store, queue, deploymentId, clock: createLedgerClock(systemClock), log: () => {}, version: '0' },
      ...{ processId: 'worker', queues: [QUEUE], prefetch: 1, concurrency: 1, graceMs: 1000 },
    });
    const depth = await untilAnswer(
      async () => (await queue.depth([QUEUE]))[0]!,
      ({ ready, unacknowledged }) => ready + unacknowledged === 0,
    );
    return { received: refusing.counts().received, dead: depth.dead, runId };
  };

  it('is executed while the job is open', async () => {
    const { received, dead } = await workOff(null, 1);
    assert.deepEqual([received, dead], [1, 1]);
  });

  it('is acknowledged unexecuted when it is handed out again', async () => {
    const { received, dead } = await workOff('success', 1);
    assert.deepEqual([received, dead], [0, 0]);
  });

  it('becomes the dead letter that its worker did not live to write', async () => {
    const { received, dead } = await workOff('dead', 1);
    assert.deepEqual([received, dead], [0, 1]);
  });

  it('leaves no dead letter when its attempts fail and the job has succeeded', async () => {
    const { received, dead, runId } = await workOff('success', 0);
    assert.deepEqual([received, dead], [1, 0]);
    assert.equal((await store.runTotals(runId)).duplicates, 1);
  });
});
