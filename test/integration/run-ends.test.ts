import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isOver } from '../../src/domain/run-state.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { YeeterError } from '../../src/lib/errors.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import { createMemoryQueue } from '../../src/queue/memory/memory-queue.ts';
import { createLedgerClock } from '../../src/roles/ledger-clock.ts';
import { startRunnerRole } from '../../src/roles/runner-role.ts';
import { startWorkerRole } from '../../src/roles/worker-role.ts';
import { createMllpSink } from '../../src/sink/mllp-sink.ts';
import type { PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import type { RunRecord } from '../../src/storage/port.ts';
import { TEST_IDENTITY } from '../support/job.ts';
import { openTestLedger, type TestLedger } from '../support/ledger.ts';
import { templateFrom } from '../support/run.ts';
import { untilAnswer } from '../support/until.ts';

const TEMPLATE = `
name: ends
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - step_type: SEND_MLLP
    execution: async
    queue: ends
    parameters: {endpoint_id: ris}
endpoints:
  ris: {endpoint_type: MLLP, hostname: 127.0.0.1, port: 1}
`;

const PATIENTS = 5;

type Publish = ReturnType<typeof createMemoryQueue>['publish'];

/** Its runner and its workers end at different times, and whichever comes last decides, once. */
describe('a run whose jobs are worked off elsewhere', () => {
  let ledger: TestLedger;
  let store: PgliteStore;
  before(async () => {
    ledger = await openTestLedger();
    store = ledger.store;
  });
  after(() => ledger.close());

  const settled = async (runId: number): Promise<number> => (await store.runTotals(runId)).attempts;

  /** Status and text of the line that ends a run. */
  const lastLine = async (runId: number): Promise<string> => {
    const { events } = await store.eventWindow(runId, { limit: 1, offset: 0, order: 'desc' });
    return events.map(({ stepOrder, status, details }) => `${stepOrder} ${status} ${details}`).join();
  };

  /** @param change what publishing is to its runner */
  const play = async (change: (publish: Publish) => Publish) => {
    await using sink = await createMllpSink({});
    const template = templateFrom(TEMPLATE);
    const { id: deploymentId } = await store.deployment();
    await using queue = createMemoryQueue();
    const clock = createLedgerClock(systemClock);
    const shared = { store, deploymentId, clock, log: () => {} };
    await using _worker = await startWorkerRole({
      ...{ ...shared, queue, processId: 'worker', version: '0', queues: ['ends'] },
      ...{ prefetch: 8, concurrency: 4, graceMs: 1000 },
    });
    await using _runner = startRunnerRole({
      ...{ ...shared, processId: 'runner', studyDir: null },
      queue: { ...queue, publish: change(queue.publish) },
    });
    const { id } = await store.createRun({
      ...{ userId: null, templateId: null, template, identity: TEST_IDENTITY, patientCount: PATIENTS },
      ...{ concurrency: 1, closedModel: false, onFailure: 'fail_run', tags: [], limits: {} },
      endpoints: { ris: { ...template.endpoints.ris!, port: sink.port } },
    });
    const run: RunRecord = await untilAnswer(
      () => store.getRun(id),
      ({ status }) => isOver(status),
    );
    return { run, totals: await store.runTotals(id), received: sink.counts().received };
  };

  it('goes on when its first job has finished', async () => {
    const statuses: string[] = [];
    const { run, totals } = await play((publish) => async (job) => {
      if (job.iteration > 1) {
        await untilAnswer(
          () => settled(job.runId),
          (count) => count >= job.iteration - 1,
        );
        statuses.push((await store.getRun(job.runId)).status);
      }
      await publish(job);
    });
    assert.deepEqual(
      statuses.filter((status) => status !== 'RUNNING'),
      [],
      'no job ends the run while another is to come',
    );
    assert.equal(statuses.length, PATIENTS - 1);
    assert.equal(run.status, 'COMPLETED');
    assert.deepEqual([totals.jobs, totals.jobsSucceeded, totals.completed], [PATIENTS, PATIENTS, PATIENTS]);
    assert.equal(await lastLine(run.id), '999 SUCCESS ended COMPLETED');
    const attempts = await store.readAttempts(run.id, { afterId: 0, limit: 10 });
    for (const { createdAtMs } of attempts) assert.ok(createdAtMs <= run.completedAtMs!);
  });

  it('waits for its last job when its runner has ended and its first job has finished', async () => {
    let held = 0;
    const { run, totals } = await play((publish) => async (job) => {
      if (job.iteration === 1) return publish(job);
      // Confirmed at once, delivered when the runner has ended and the first job is over.
      held++;
      void untilAnswer(
        async () => [(await store.getRun(job.runId)).status, await settled(job.runId)] as const,
        ([status, count]) => status !== 'RUNNING' && count >= 1,
      ).then(async () => {
        await delay(500);
        await publish(job);
      });
    });
    assert.equal(held, PATIENTS - 1);
    assert.equal(run.status, 'COMPLETED');
    assert.deepEqual([totals.jobsSucceeded, totals.completed], [PATIENTS, PATIENTS]);
  });

  it('does not wait for ever when its last job ends before its runner', async () => {
    const { run, totals } = await play((publish) => async (job) => {
      await publish(job);
      if (job.iteration < PATIENTS) return;
      // The confirm comes late: the job is over by then.
      await untilAnswer(
        () => settled(job.runId),
        (count) => count === PATIENTS,
      );
      await delay(200);
    });
    assert.equal(run.status, 'COMPLETED');
    assert.deepEqual([totals.jobs, totals.jobsSucceeded], [PATIENTS, PATIENTS]);
  });

  it('counts a publish that failed, and does not do its job where the publisher is', async () => {
    const { run, totals, received } = await play(() => async () => {
      throw new YeeterError('QUEUE_UNREACHABLE', 'the broker is gone');
    });
    assert.equal(run.status, 'ERROR');
    assert.equal(received, 0);
    assert.equal(totals.attempts, 0);
    assert.equal(await lastLine(run.id), '999 WARN ended ERROR, failed patients: 1');
    assert.deepEqual(
      totals.failures.map(({ code }) => code),
      ['QUEUE_PUBLISH_FAILED'],
    );
  });
});
