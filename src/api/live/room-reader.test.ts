import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { attemptRow, batchOf, newRun, windowRow } from '../../../test/conformance/ledger-rows.ts';
import { openPgliteStore, type PgliteStore } from '../../storage/pglite/open-pglite-store.ts';
import { createRoomReader, type RoomPayload } from './room-reader.ts';

/** Of reading all totals, as in a ledger of a long run. */
const TOTALS_TAKE_MS = 300;

describe('createRoomReader', () => {
  let dataDir: string;
  let store: PgliteStore;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'yeeter-room-'));
    store = await openPgliteStore({ dataDir });
  });
  after(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** A reader of a new run by a clock that moves when it is told to, and by what its totals take. */
  async function openReader() {
    const run = await store.createRun(newRun());
    let nowMs = 0;
    let totalsRead = 0;
    const progress: RoomPayload[] = [];
    const metrics: unknown[] = [];
    const reader = createRoomReader({
      runId: run.id,
      store: {
        getRun: store.getRun,
        runSummary: store.runSummary,
        eventWindow: store.eventWindow,
        readEvents: store.readEvents,
        listAttempts: store.listAttempts,
        runAccounts: store.runAccounts,
        runTotals: async (runId) => {
          totalsRead++;
          nowMs += TOTALS_TAKE_MS;
          return await store.runTotals(runId);
        },
      },
      now: () => nowMs,
      workersOn: () => 2,
      tell: (event, payload) => {
        if (event === 'simulation_async_job_completed') metrics.push(payload().metrics);
      },
      onProgress: (payload) => progress.push(payload),
    });
    await reader.open();
    return {
      run,
      reader,
      progress,
      metrics,
      totalsRead: () => totalsRead,
      pass: (ms: number) => {
        nowMs += ms;
      },
    };
  }

  it('tells how a run stands each second, however long all of its totals take', async () => {
    const { run, reader, progress, metrics, totalsRead, pass } = await openReader();
    const depth = { runId: run.id, queue: 'a', unacknowledged: 1, consumers: 1 };
    for (let second = 0; second < 5; second++) {
      for (let part = 0; part < 10; part++) {
        await store.writeLedger(batchOf({ attempts: [attemptRow(run.id)] }));
        await reader.read(true);
        pass(100);
      }
      await store.writeLedger(batchOf({ depths: [{ ...depth, second, ready: 4 - second }] }));
    }
    assert.equal(totalsRead(), 1);
    const told = progress.map((of) => [of.queued_jobs, of.completed_jobs, of.remaining_queue_depth]);
    assert.deepEqual(told, [
      [1, 1, 0],
      [8, 8, 0],
      [18, 18, 5],
      [28, 28, 4],
      [38, 38, 3],
      [48, 48, 2],
    ]);
    const last = metrics.at(-1) as Record<string, unknown>;
    assert.deepEqual(
      [last.worker_job_count, last.queued_job_max_depth, last.queued_job_last_depth],
      [48, 5, 2],
    );
    assert.deepEqual(last.step_durations, []);
  });

  it('reads all totals again for a hundredth of the time, and at the end', async () => {
    const { run, reader, progress, totalsRead, pass } = await openReader();
    await store.transitionRun(run.id, 'start');
    const attempt = (): Promise<unknown> => store.writeLedger(batchOf({ attempts: [attemptRow(run.id)] }));
    await attempt();
    await reader.read(true);
    pass(99 * TOTALS_TAKE_MS - 1);
    await attempt();
    await reader.read(true);
    assert.equal(totalsRead(), 1);
    pass(1001);
    await attempt();
    await reader.read(true);
    assert.equal(totalsRead(), 2);
    await store.writeLedger(batchOf({ attempts: [attemptRow(run.id)], windows: [windowRow(run.id, 7)] }));
    await store.transitionRun(run.id, 'over_failed', { startedIterations: 0 });
    await reader.read(true);
    assert.equal(totalsRead(), 3);
    assert.equal(progress.at(-1)!.completed_jobs, 4);
  });
});
