import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testJob } from '../../test/support/job.ts';
import { createMemoryQueue } from '../queue/memory/memory-queue.ts';
import type { LedgerBatch, RunRecord, StoragePort } from '../storage/port.ts';
import { announceChanges, announceJobs } from './announce.ts';
import type { LiveFact, LivePort } from './port.ts';

function recording(): { live: LivePort; facts: LiveFact[] } {
  const facts: LiveFact[] = [];
  const close = async (): Promise<void> => {};
  return {
    facts,
    live: {
      publish: (fact) => facts.push(fact),
      subscribe: () => () => {},
      close,
      [Symbol.asyncDispose]: close,
    },
  };
}

/** Like a store: a class with private fields. */
class Books {
  #batches = 0;
  async writeLedger(): Promise<{ duplicateAttempts: number; duplicateIterations: number }> {
    this.#batches++;
    if (this.#batches === 2) throw new Error('the disk is full');
    return { duplicateAttempts: this.#batches, duplicateIterations: 0 };
  }
  async createRun(): Promise<Pick<RunRecord, 'id'>> {
    return { id: 4 };
  }
  async countFinished(): Promise<number> {
    return this.#batches;
  }
}

const rows = (...runIds: number[]) => runIds.map((runId) => ({ runId }));
const batch = (of: Record<string, unknown>): LedgerBatch =>
  ({
    handedOff: [],
    attempts: [],
    iterations: [],
    events: [],
    windows: [],
    health: [],
    depths: [],
    ...of,
  }) as LedgerBatch;

describe('announceChanges', () => {
  it('tells each run of a stored batch once, and nothing of one that failed', async () => {
    const { live, facts } = recording();
    const store = announceChanges(new Books() as unknown as StoragePort, live);
    const receipt = await store.writeLedger(
      batch({ attempts: rows(1, 1, 2), events: rows(2, 3), windows: rows(9), health: rows(9) }),
    );
    assert.equal(receipt.duplicateAttempts, 1);
    assert.deepEqual(facts, [
      { kind: 'run', runId: 1 },
      { kind: 'run', runId: 2 },
      { kind: 'run', runId: 3 },
    ]);
    await assert.rejects(store.writeLedger(batch({ events: rows(5) })), /disk is full/);
    assert.equal(facts.length, 3);
    assert.equal(await store.countFinished(1), 2);
  });

  it('tells that a run is over, and only then', async () => {
    const { live, facts } = recording();
    const changed = (status: string) =>
      ({ transitionRun: async () => ({ status }) }) as unknown as StoragePort;
    await announceChanges(changed('RUNNING'), live).transitionRun(1, 'start');
    await announceChanges(changed('COMPLETED'), live).transitionRun(1, 'over_ok');
    const run = { kind: 'run', runId: 1 };
    assert.deepEqual(facts, [run, run, { kind: 'run_over', runId: 1 }]);
  });

  it('tells that a run waits for a runner', async () => {
    const { live, facts } = recording();
    const store = announceChanges(new Books() as unknown as StoragePort, live);
    await store.createRun({} as never);
    assert.deepEqual(facts, [{ kind: 'run_created', runId: 4 }]);
  });
});

describe('announceJobs', () => {
  it('tells a job once its publish is confirmed, and leaves the rest of the queue as it is', async () => {
    const { live, facts } = recording();
    await using queue = announceJobs(createMemoryQueue({ maxLength: 1 }), live);
    await queue.declare(['q']);
    const job = testJob({ iteration: 3 });
    await queue.publish(job);
    await assert.rejects(queue.publish(testJob({ iteration: 4 })));
    const { jobId, runId } = job;
    assert.deepEqual(facts, [
      { kind: 'run', runId, queued: [{ jobId, queue: 'q', patientIteration: 3, repeatIteration: 0 }] },
    ]);
    assert.equal((await queue.depth(['q']))[0]!.ready, 1);
  });
});
