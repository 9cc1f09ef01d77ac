import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isOver } from '../../src/domain/run-state.ts';
import { DEFAULT_QUEUE } from '../../src/domain/template.ts';
import { delay } from '../../src/lib/lifecycle.ts';
import { createLocalLive, type LocalLive } from '../../src/live/local-live.ts';
import { type EngineHost, startEngineHost } from '../../src/roles/engine-host.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS } from '../../src/sink/mllp-sink.ts';
import { openPgliteStore, type PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import type { RunRecord } from '../../src/storage/port.ts';
import { TEST_IDENTITY } from '../support/job.ts';
import { templateFrom } from '../support/run.ts';
import { untilAnswer } from '../support/until.ts';

/** Each message in a job of its own queue. */
const ORDERS = (queue: string, retry = '{max_attempts: 1}'): string => `
name: orders
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, execution: async, queue: ${queue}, retry: ${retry}}
`;

const WAITING = `
name: waiting
steps:
  - {step_type: WAIT, execution: async, parameters: {duration_seconds: 600}}
`;

describe('the thread that plays the runs of the embedded shape', () => {
  let dataDir: string;
  let store: PgliteStore;
  let live: LocalLive;
  let host: EngineHost;
  const said: string[] = [];
  const startHost = async (): Promise<EngineHost> => {
    const { id: deploymentId } = await store.deployment();
    return startEngineHost({
      ...{ store, live, deploymentId, defaultQueue: DEFAULT_QUEUE, workers: 1, concurrency: 4 },
      ...{ prefetch: 32, graceMs: 5000, studyDir: null, metricLog: false, log: (line) => said.push(line) },
    });
  };
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'yeeter-test-'));
    store = await openPgliteStore({ dataDir });
    live = createLocalLive();
    host = await startHost();
  });
  after(async () => {
    await host.close();
    await live.close();
    await store.close();
    await rm(dataDir, { recursive: true });
  });

  const createRun = async (template: string, patientCount: number, port = 1): Promise<number> => {
    const mllp = {
      ...{ name: 'mllp', endpointType: 'MLLP' as const, hostname: '127.0.0.1', port },
      ...{ aeTitle: null, callingAeTitle: null },
    };
    const run = await store.createRun({
      ...{ userId: null, templateId: null, template: templateFrom(template), identity: TEST_IDENTITY },
      ...{
        patientCount,
        concurrency: 8,
        closedModel: false,
        onFailure: 'continue',
        tags: [],
        endpoints: { mllp },
        limits: {},
      },
    });
    live.publish({ kind: 'run_created', runId: run.id });
    return run.id;
  };
  const untilOver = (runId: number): Promise<RunRecord> =>
    untilAnswer(
      () => store.getRun(runId),
      ({ status }) => isOver(status),
    );
  const liveWorkers = () => store.listWorkers({ seenSinceMs: Date.now() - 60_000 });

  it('claims runs, works off queues that no worker was told of, and tells what changed', async () => {
    const told = new Set<string>();
    const end = live.subscribe((fact) => told.add(fact.kind));
    await using mllp = await createMllpSink({});
    const runId = await createRun(ORDERS('own.queue'), 40, mllp.port);
    assert.equal((await untilOver(runId)).status, 'COMPLETED');
    end();
    assert.equal(mllp.counts().received, 40);
    const { completed, jobs, jobsSucceeded, queueLastDepth } = await store.runTotals(runId);
    assert.deepEqual([completed, jobs, jobsSucceeded, queueLastDepth], [40, 40, 40, 0]);
    assert.ok(told.has('run'));
    const own = (await host.methods.list()).find(({ queue }) => queue === 'own.queue');
    assert.deepEqual([own?.ready, own?.dead, own?.mode], [0, 0, 'open']);
  });

  it('keeps dead letters, which can be requeued and purged by their count', async () => {
    const refusing = await createMllpSink({ faultPlan: parseFaultPlan('AR/1', MLLP_FAULTS) });
    const { port } = refusing;
    const runId = await createRun(ORDERS('dead.queue'), 3, port);
    await untilOver(runId);
    await refusing.close();
    const dead = await store.deadJobs({ runId, limit: 10 });
    assert.equal(dead.length, 3);
    await assert.rejects(host.methods.purgeDead('dead.queue', 2), { code: 'QUEUE_COUNT_CHANGED' });
    await using _healed = await createMllpSink({ port });
    const requeued = await host.methods.requeueDead('dead.queue', [dead[0]!.jobId]);
    assert.deepEqual(requeued, {
      requeued: 1,
      jobIds: [dead[0]!.jobId],
      runIds: [runId],
      benchSinks: [],
    });
    await untilOver(runId);
    assert.equal((await store.runTotals(runId)).completed, 1);
    assert.equal(await host.methods.purgeDead('dead.queue', 2), 2);
  });

  it('ends a cancelled run whose jobs wait for their time', async () => {
    const runId = await createRun(WAITING, 5);
    await untilAnswer(
      () => host.methods.list(),
      (queues) => queues.find(({ queue }) => queue === DEFAULT_QUEUE)!.delayed === 5,
    );
    await store.requestCancel(runId);
    assert.equal((await untilOver(runId)).status, 'CANCELLED');
    assert.equal((await store.runTotals(runId)).cancelled, 5);
  });

  it('leaves a paused queue alone until it is opened', async () => {
    await using mllp = await createMllpSink({});
    await store.setQueueMode('paused.queue', 'paused');
    const runId = await createRun(ORDERS('paused.queue'), 4, mllp.port);
    await untilAnswer(
      () => host.methods.list(),
      (queues) => queues.find(({ queue }) => queue === 'paused.queue')?.ready === 4,
    );
    assert.equal(mllp.counts().received, 0);
    await host.methods.setMode('paused.queue', 'open');
    assert.equal((await untilOver(runId)).status, 'COMPLETED');
  });

  it('starts no more patients than jobs can wait at a time, and ends them all', async () => {
    await using mllp = await createMllpSink({});
    await store.setQueueMode('full.queue', 'paused');
    const runId = await createRun(ORDERS('full.queue'), 3_000, mllp.port);
    const ready = async (): Promise<number> =>
      (await host.methods.list()).find(({ queue }) => queue === 'full.queue')?.ready ?? 0;
    await untilAnswer(ready, (jobs) => jobs >= 2_000);
    await delay(500);
    assert.ok((await ready()) <= 2_000 + 8 + 1, 'those that had their places, and no others');
    await host.methods.setMode('full.queue', 'open');
    assert.equal((await untilOver(runId)).status, 'COMPLETED');
    assert.equal((await store.runTotals(runId)).completed, 3_000);
  });

  it('scales its workers up and down, down to none', async () => {
    await host.methods.scale(3);
    assert.equal(await host.methods.replicas(), 3);
    const working = (all: Awaited<ReturnType<typeof liveWorkers>>): number =>
      all.filter(({ state }) => state === 'working').length;
    assert.equal(working(await liveWorkers()), 3);
    await host.methods.scale(0);
    await untilAnswer(liveWorkers, (all) => working(all) === 0);
    await using mllp = await createMllpSink({});
    const runId = await createRun(ORDERS('scaled.queue'), 3, mllp.port);
    await untilAnswer(
      () => host.methods.list(),
      (queues) => queues.find(({ queue }) => queue === 'scaled.queue')?.ready === 3,
    );
    await host.methods.scale(1);
    assert.equal((await untilOver(runId)).status, 'COMPLETED');
  });

  it('gives runs back when it is closed, and goes on with them when it is started again', async () => {
    await using mllp = await createMllpSink({ faultPlan: parseFaultPlan('delay:20/1', MLLP_FAULTS) });
    const runId = await createRun(ORDERS('again.queue'), 400, mllp.port);
    await untilAnswer(
      () => store.runCounts(runId),
      ({ completed }) => completed > 5,
    );
    await host.close();
    const left = await store.getRun(runId);
    assert.ok(!isOver(left.status));
    host = await startHost();
    const ended = await untilOver(runId);
    assert.deepEqual([ended.status, ended.startedIterations], ['COMPLETED', 400]);
    const { completed, possiblyRepeated } = await store.runTotals(runId);
    assert.equal(completed, 400);
    assert.ok(possiblyRepeated > 0 && possiblyRepeated < 400, String(possiblyRepeated));
  });
});
