import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { it } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { createMemoryQueue, type MemoryQueue } from '../../src/queue/memory/memory-queue.ts';
import { createLedgerClock } from '../../src/roles/ledger-clock.ts';
import { startWorkerRole } from '../../src/roles/worker-role.ts';
import { createMllpSink } from '../../src/sink/mllp-sink.ts';
import { startState } from '../../src/steps/start-state.ts';
import type { CoordinationPort } from '../../src/storage/coordination-port.ts';
import { TEST_IDENTITY, testJob } from '../support/job.ts';
import { openTestLedger } from '../support/ledger.ts';
import { queuedRun, templateFrom } from '../support/run.ts';
import { untilAnswer } from '../support/until.ts';

const QUEUE = 'slots';
const PREFETCH = 4;
const JOBS = 6;
const TEMPLATE = templateFrom(`
name: slots
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, execution: async, queue: ${QUEUE}}
`);

/** A run whose jobs, all of them on the queue, send a message to `port`. */
async function publishJobs(store: CoordinationPort, queue: MemoryQueue, port: number) {
  const { id: runId } = await store.createRun(queuedRun(TEMPLATE, JOBS, port));
  const { id: deploymentId } = await store.deployment();
  await queue.declare([QUEUE]);
  for (let iteration = 1; iteration <= JOBS; iteration++) {
    const message = { text: `MSH|^~\\&|A|B|C|D|1||ORM^O01|${iteration}|T|2.5\r`, controlId: `${iteration}` };
    const state = { ...startState(TEMPLATE, TEST_IDENTITY, iteration), message };
    const jobId = crypto.randomUUID();
    await queue.publish(testJob({ deploymentId, jobId, runId, iteration, queue: QUEUE, state }));
  }
  return { runId, deploymentId };
}

it('a job that is not over when its worker has to end goes back to its queue, unsettled', async () => {
  await using ledger = await openTestLedger();
  const { store } = ledger;
  const opened = Promise.withResolvers<void>();
  const silent = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => opened.resolve());
  }).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  await using queue = createMemoryQueue();
  const { runId, deploymentId } = await publishJobs(store, queue, (silent.address() as AddressInfo).port);
  const worker = await startWorkerRole({
    ...{ store, queue, deploymentId, clock: createLedgerClock(systemClock), log: () => {}, version: '0' },
    ...{ processId: 'worker', queues: [QUEUE], prefetch: PREFETCH, concurrency: 1, graceMs: 50 },
  });
  await opened.promise;
  await worker.close();
  silent.close();
  const [depth] = await queue.depth([QUEUE]);
  assert.deepEqual([depth!.unacknowledged, depth!.ready], [0, JOBS]);
  const { attempts, cancelled } = await store.runTotals(runId);
  assert.deepEqual([attempts, cancelled], [0, 0]);
});

it('a job whose rows wait to be stored is in hand, and keeps no other from being executed', async () => {
  await using ledger = await openTestLedger();
  const { store } = ledger;
  const stored = Promise.withResolvers<void>();
  const slow: CoordinationPort = {
    ...store,
    writeLedger: async (batch) => {
      await stored.promise;
      return store.writeLedger(batch);
    },
  };
  await using receiver = await createMllpSink({});
  await using queue = createMemoryQueue();
  const { runId, deploymentId } = await publishJobs(store, queue, receiver.port);
  const worker = await startWorkerRole({
    ...{
      store: slow,
      queue,
      deploymentId,
      clock: createLedgerClock(systemClock),
      log: () => {},
      version: '0',
    },
    ...{ processId: 'worker', queues: [QUEUE], prefetch: PREFETCH, concurrency: 1, graceMs: 1000 },
  });
  const depth = async () => (await queue.depth([QUEUE]))[0]!;
  await untilAnswer(
    async () => receiver.counts().received,
    (received) => received === PREFETCH,
  );
  const { unacknowledged, ready } = await depth();
  assert.deepEqual([unacknowledged, ready], [PREFETCH, JOBS - PREFETCH]);
  let closed = false;
  const closing = worker.close().then(() => {
    closed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(closed, false, 'closing waits until they are stored');
  stored.resolve();
  await closing;
  const left = await depth();
  assert.deepEqual([left.unacknowledged, left.ready], [0, JOBS - PREFETCH]);
  assert.equal((await store.runTotals(runId)).attempts, PREFETCH);
});
