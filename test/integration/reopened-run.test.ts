import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isOver } from '../../src/domain/run-state.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import { createMemoryQueue } from '../../src/queue/memory/memory-queue.ts';
import { createLedgerClock } from '../../src/roles/ledger-clock.ts';
import { startRunnerRole } from '../../src/roles/runner-role.ts';
import { startWorkerRole } from '../../src/roles/worker-role.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS } from '../../src/sink/mllp-sink.ts';
import type { PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import type { RunRecord } from '../../src/storage/port.ts';
import { TEST_IDENTITY } from '../support/job.ts';
import { openTestLedger, type TestLedger } from '../support/ledger.ts';
import { templateFrom } from '../support/run.ts';

const QUEUE = 'reopened';

/** The first message is sent where the iteration is, the second in a job. */
const TEMPLATE = `
name: reopened
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, parameters: {endpoint_id: inline}}
  - step_type: SEND_MLLP
    execution: async
    queue: ${QUEUE}
    retry: {max_attempts: 1}
    parameters: {endpoint_id: job}
endpoints:
  inline: {endpoint_type: MLLP, hostname: 127.0.0.1, port: 1}
  job: {endpoint_type: MLLP, hostname: 127.0.0.1, port: 1}
`;

describe('a run that stopped at its first failure and whose dead jobs are requeued', () => {
  let ledger: TestLedger;
  let store: PgliteStore;
  before(async () => {
    ledger = await openTestLedger();
    store = ledger.store;
  });
  after(() => ledger.close());

  const untilOver = async (runId: number): Promise<RunRecord> => {
    for (;;) {
      const run = await store.getRun(runId);
      if (isOver(run.status)) return run;
      await delay(20);
    }
  };

  it('settles those, and starts none of the patients that it had not started', async () => {
    await using inline = await createMllpSink({ faultPlan: parseFaultPlan('AR/3', MLLP_FAULTS) });
    const refusing = await createMllpSink({ faultPlan: parseFaultPlan('AR/1', MLLP_FAULTS) });
    const { port } = refusing;
    const template = templateFrom(TEMPLATE);
    const at = (name: string, port: number) => ({ ...template.endpoints[name]!, port });
    const { id: deploymentId } = await store.deployment();
    await using queue = createMemoryQueue();
    const clock = createLedgerClock(systemClock);
    const shared = { store, queue, deploymentId, clock, log: () => {} };
    await using _worker = await startWorkerRole({
      ...{ ...shared, processId: 'worker', version: '0', queues: [QUEUE] },
      ...{ prefetch: 8, concurrency: 4, graceMs: 1000 },
    });
    await using _runner = startRunnerRole({ ...shared, processId: 'runner', studyDir: null });
    const { id } = await store.createRun({
      ...{
        userId: null,
        templateId: null,
        template,
        identity: TEST_IDENTITY,
        patientCount: 10,
        concurrency: 1,
        closedModel: false,
      },
      ...{ onFailure: 'fail_run', tags: [], limits: {} },
      endpoints: { inline: at('inline', inline.port), job: at('job', port) },
    });
    const stopped = await untilOver(id);
    assert.deepEqual([stopped.status, stopped.startedIterations], ['ERROR', 3]);
    const dead = await store.deadJobs({ runId: id, limit: 10 });
    assert.equal(dead.length, 2);

    await refusing.close();
    await using _healed = await createMllpSink({ port });
    const { requeued } = await queue.requeueDead(QUEUE, {
      jobIds: 'all',
      beforePublish: (jobs) => store.reopenJobs(jobs),
    });
    assert.equal(requeued, 2);
    const ended = await untilOver(id);
    assert.deepEqual([ended.status, ended.startedIterations], ['ERROR', 3]);
    const { completed, failed, cancelled } = await store.runTotals(id);
    assert.deepEqual([completed, failed, cancelled], [2, 1, 0]);
    assert.equal(inline.counts().received, 3);
  });
});
