import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Connection } from 'rabbitmq-client';
import { isOver } from '../../src/domain/run-state.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import { createMemoryQueue } from '../../src/queue/memory/memory-queue.ts';
import { createLedgerClock } from '../../src/roles/ledger-clock.ts';
import { startRunnerRole } from '../../src/roles/runner-role.ts';
import { startWorkerRole } from '../../src/roles/worker-role.ts';
import { allIterations } from '../../src/storage/all-rows.ts';
import type { CoordinationPort } from '../../src/storage/coordination-port.ts';
import { type DurableBench, openDurableBench } from '../support/durable.ts';
import { TEST_IDENTITY } from '../support/job.ts';
import { openTestLedger } from '../support/ledger.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { without } from '../support/programs.ts';
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.ts';
import { templateFrom } from '../support/run.ts';
import { untilAnswer } from '../support/until.ts';

const QUEUE = 'at-a-time';
const TEMPLATE = `
name: waits
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: WAIT, execution: async, queue: ${QUEUE}, parameters: {duration_seconds: 0.2}}
`;

/** The most patients that were between their start and their end at one moment. */
async function mostUnderWay(store: CoordinationPort, runId: number): Promise<number> {
  const changes: [atMs: number, change: 1 | -1][] = [];
  for await (const { endedAtMs, responseUs } of allIterations(store, runId)) {
    changes.push([endedAtMs - responseUs / 1000, 1], [endedAtMs, -1]);
  }
  changes.sort(([a, started], [b, ended]) => a - b || started - ended);
  let underWay = 0;
  let most = 0;
  for (const [, change] of changes) {
    underWay += change;
    most = Math.max(most, underWay);
  }
  return most;
}

describe('patients at a time, over a queue', { skip: without('rabbitmq-server', 'postgresql') }, () => {
  let postgres: Postgres;
  let rabbitmq: Rabbitmq;
  let queueUrl: string;
  let bench: DurableBench;
  before(async () => {
    [postgres, rabbitmq] = await Promise.all([startPostgres(), startRabbitmq()]);
    const databaseUrl = await postgres.createDatabase();
    queueUrl = await rabbitmq.createVhost();
    bench = await openDurableBench({ databaseUrl, queueUrl, queues: [QUEUE] });
  });
  after(async () => {
    await bench.close();
    await rabbitmq.close();
    await postgres.close();
  });

  it('are no more from their start to their end than was asked for', async () => {
    const [runner, worker] = await Promise.all([bench.start('runner'), bench.start('worker')]);
    const { id } = await bench.createRun({
      template: TEMPLATE,
      patients: 12,
      concurrency: 3,
      closedModel: true,
    });
    const { status } = await bench.untilOver(id);
    assert.equal(status, 'COMPLETED');
    assert.equal(await mostUnderWay(bench.store, id), 3);
    await bench.stop(runner, worker);
  });

  it('pile up in the queue where nobody asked for a number of them', async () => {
    const [runner, worker] = await Promise.all([bench.start('runner'), bench.start('worker')]);
    const { id } = await bench.createRun({ template: TEMPLATE, patients: 12, concurrency: 1 });
    const { status } = await bench.untilOver(id);
    assert.equal(status, 'COMPLETED');
    assert.ok((await mostUnderWay(bench.store, id)) > 3);
    await bench.stop(runner, worker);
  });

  it('a job that the broker gave up takes no place for ever', async () => {
    const runner = await bench.start('runner');
    const { id } = await bench.createRun({
      template: TEMPLATE,
      patients: 3,
      concurrency: 1,
      closedModel: true,
    });
    await handOutTooOften(queueUrl);
    await untilAnswer(
      () => bench.store.runTotals(id),
      ({ failed }) => failed === 1,
    );
    const worker = await bench.start('worker');
    assert.equal((await bench.untilOver(id)).status, 'COMPLETED');
    const { completed, failed } = await bench.store.runTotals(id);
    assert.deepEqual([completed, failed], [2, 1]);
    await bench.stop(runner, worker);
  });
});

/** Takes one job and puts it back until the broker gives it up. */
async function handOutTooOften(queueUrl: string): Promise<void> {
  const connection = new Connection(queueUrl);
  const channel = await connection.acquire();
  for (let handedOut = 0; handedOut <= 20; ) {
    const message = await channel.basicGet(QUEUE);
    if (message) {
      channel.basicNack({ deliveryTag: message.deliveryTag, requeue: true });
      handedOut++;
    } else await delay(20);
  }
  await channel.close();
  await connection.close();
}

it('patients at a time are as many in one process, with a queue of its own', async () => {
  await using ledger = await openTestLedger();
  const { store } = ledger;
  const { id: deploymentId } = await store.deployment();
  await using queue = createMemoryQueue();
  const clock = createLedgerClock(systemClock);
  const shared = { store, deploymentId, clock, log: () => {}, queue };
  await using _worker = await startWorkerRole({
    ...{ ...shared, processId: 'worker', version: '0', queues: [QUEUE] },
    ...{ prefetch: 8, concurrency: 4, graceMs: 1000 },
  });
  await using _runner = startRunnerRole({
    ...{ ...shared, processId: 'runner', studyDir: null },
    volatileQueue: queue,
  });
  const { id } = await store.createRun({
    ...{ userId: null, templateId: null, template: templateFrom(TEMPLATE), identity: TEST_IDENTITY },
    ...{ patientCount: 12, concurrency: 3, closedModel: true, onFailure: 'continue', tags: [] },
    ...{ limits: {}, endpoints: {} },
  });
  await untilAnswer(
    () => store.getRun(id),
    ({ status }) => isOver(status),
  );
  assert.equal(await mostUnderWay(store, id), 3);
});
