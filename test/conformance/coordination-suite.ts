import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { delay } from '../../src/lib/lifecycle.ts';
import type { WorkerHeartbeat } from '../../src/storage/coordination-port.ts';
import type { AttemptRow, LedgerBatch, NewRun, RunRecord } from '../../src/storage/port.ts';
import { attemptRow, batchOf, iterationRow, newRun, windowRow } from './ledger-rows.ts';
import { LEASE_MS, runsOf, type SharedStores } from './shared-stores.ts';

/** What several processes on one ledger are promised. */
export function coordinationConforms(name: string, stores: () => SharedStores): void {
  describe(`${name}, shared`, () => {
    const { store, newRunId, endOthers } = runsOf(stores);

    describe('leases', () => {
      it('gives each run to one of the runners that ask at once, the oldest first', async () => {
        await endOthers();
        const ids = [await newRunId(), await newRunId(), await newRunId()];
        const { one, other } = stores();
        const claims = await Promise.all(
          [one, other, one, other, one].map((side, i) => side.claimRun(`runner-${i}`, LEASE_MS)),
        );
        const taken = claims.flatMap((claim) => (claim ? [claim.run.id] : []));
        // Who passes over a run that another is taking may find none left, and asks again.
        for (
          let claim = await one.claimRun('late', LEASE_MS);
          claim;
          claim = await one.claimRun('late', LEASE_MS)
        )
          taken.push(claim.run.id);
        assert.deepEqual(
          taken.toSorted((a, b) => a - b),
          ids,
        );
      });

      it('gives a run whose lease has expired to the next, and refuses what the first still writes', async () => {
        await endOthers();
        const id = await newRunId();
        const first = (await store().claimRun('a', 1))!;
        assert.deepEqual([first.run.id, first.resumed], [id, false]);
        await store().transitionRun(id, 'start', { fence: first.fence });
        await delay(5);
        const second = (await stores().other.claimRun('b', LEASE_MS))!;
        assert.deepEqual([second.run.id, second.resumed, second.run.status], [id, true, 'RUNNING']);
        assert.ok(second.fence > first.fence);
        assert.equal(await store().renewLease(id, first.fence, LEASE_MS), false);
        assert.equal(await store().setStarted(id, first.fence, 99), false);
        await store().releaseLease(id, first.fence);
        const stale = store().transitionRun(id, 'over_ok', { fence: first.fence });
        await assert.rejects(stale, { code: 'RUN_FENCED' });
        assert.equal(await store().claimRun('c', LEASE_MS), null, 'the second still has it');
        assert.equal(await store().setStarted(id, second.fence, 3), true);
        const run = await store().getRun(id);
        assert.deepEqual([run.status, run.startedIterations], ['RUNNING', 3]);
      });

      it('can all be forgotten, where no other process has the store', async () => {
        await endOthers();
        const id = await newRunId();
        const { fence } = (await store().claimRun('gone', LEASE_MS))!;
        await store().transitionRun(id, 'start', { fence });
        assert.equal(await store().claimRun('next', LEASE_MS), null);
        await store().forgetLeases();
        const next = (await store().claimRun('next', LEASE_MS))!;
        assert.deepEqual([next.run.id, next.resumed], [id, true]);
      });

      it('keeps a run for who renews, and frees one that is given back', async () => {
        await endOthers();
        const id = await newRunId();
        const { fence } = (await store().claimRun('a', 1))!;
        assert.equal(await store().renewLease(id, fence, LEASE_MS), true);
        await delay(5);
        assert.equal(await store().claimRun('b', LEASE_MS), null);
        await store().releaseLease(id, fence);
        assert.equal((await store().claimRun('b', LEASE_MS))?.run.id, id);
      });

      it('ends with the run', async () => {
        await endOthers();
        const id = await newRunId();
        const { fence } = (await store().claimRun('a', LEASE_MS))!;
        await store().transitionRun(id, 'over_failed', { fence });
        assert.equal(await store().renewLease(id, fence, LEASE_MS), false);
        assert.equal(await store().claimRun('b', 1), null);
      });

      it('hands the endpoints and their limits on with the run', async () => {
        await endOthers();
        const { id, endpoints, limits } = await store().createRun(newRun());
        const claim = (await stores().other.claimRun('a', LEASE_MS))!;
        assert.deepEqual([claim.run.id, claim.run.endpoints, claim.run.limits], [id, endpoints, limits]);
      });

      it('does not end a run of which an iteration has no terminal row', async () => {
        const id = await newRunId();
        await store().transitionRun(id, 'start');
        await store().writeLedger(batchOf({ iterations: [iterationRow(id, 1)] }));
        const early = store().transitionRun(id, 'over_ok', { finishedIterations: 2 });
        await assert.rejects(early, { code: 'RUN_STATE', message: /1 of its 2 iterations/ });
        await store().writeLedger(batchOf({ iterations: [iterationRow(id, 2)] }));
        const over = await store().transitionRun(id, 'over_ok', { finishedIterations: 2 });
        assert.equal(over.status, 'COMPLETED');
      });
    });

    describe('jobs', () => {
      const ITERATION = 4;
      const handOff = (runId: number): LedgerBatch =>
        batchOf({ handedOff: [{ runId, iteration: ITERATION }] });
      const attempt =
        (change: Partial<AttemptRow> = {}) =>
        (runId: number, jobId: string) =>
          batchOf({ attempts: [attemptRow(runId, { jobId, patientIteration: ITERATION, ...change })] });
      const settle = attempt();
      const ended = (runId: number): LedgerBatch => batchOf({ iterations: [iterationRow(runId, ITERATION)] });
      const settled = { jobs: 1, jobsSucceeded: 1, jobsDead: 0, duplicates: 0 };

      const totalsAfter = async (...batches: ((runId: number, jobId: string) => LedgerBatch)[]) => {
        const [runId, jobId] = [await newRunId(), randomUUID()];
        for (const batch of batches) await store().writeLedger(batch(runId, jobId));
        const { jobs, jobsSucceeded, jobsDead, duplicates } = await store().runTotals(runId);
        const accounts = await store().runAccounts(runId);
        assert.equal(accounts.jobs, jobs);
        return { jobs, jobsSucceeded, jobsDead, duplicates };
      };

      it('count once from when their patient was handed off, however often that is told', async () => {
        assert.deepEqual(await totalsAfter(handOff), { ...settled, jobsSucceeded: 0 });
        assert.deepEqual(await totalsAfter(handOff, handOff), { ...settled, jobsSucceeded: 0 });
      });

      it('come to the same whichever is written first, the hand-off or the settlement', async () => {
        const both = (runId: number, jobId: string): LedgerBatch => ({
          ...handOff(runId),
          ...{ attempts: settle(runId, jobId).attempts },
        });
        assert.deepEqual(await totalsAfter(handOff, settle), settled);
        assert.deepEqual(await totalsAfter(settle, handOff), settled);
        assert.deepEqual(await totalsAfter(both), settled);
      });

      it('count when they are settled, should their runner have died before it told of the hand-off', async () => {
        assert.deepEqual(await totalsAfter(settle), settled);
      });

      it('count those that follow as soon as the one before has put them on their queue', async () => {
        const first = attempt({ remainingSteps: 2 });
        const next = (runId: number) => settle(runId, randomUUID());
        assert.deepEqual(await totalsAfter(handOff, first), { ...settled, jobs: 2 });
        assert.deepEqual(await totalsAfter(handOff, first, next), { ...settled, jobs: 2, jobsSucceeded: 2 });
        const retried = attempt({ outcome: 'retried', remainingSteps: 2 });
        const second = attempt({ attempt: 2, remainingSteps: 2 });
        assert.deepEqual(await totalsAfter(handOff, retried, second), { ...settled, jobs: 2 });
        // Made again although its row said that it was to be retried, and then a third time.
        assert.deepEqual(await totalsAfter(handOff, retried, first, second, next), {
          ...{ ...settled, jobs: 2, jobsSucceeded: 2, duplicates: 2 },
        });
      });

      it('keep their first settlement', async () => {
        const dead = attempt({ attempt: 2, outcome: 'dead' });
        assert.deepEqual(await totalsAfter(handOff, settle, dead), { ...settled, duplicates: 1 });
        assert.deepEqual(await totalsAfter(settle, dead, handOff), { ...settled, duplicates: 1 });
        const atOnce = (runId: number, jobId: string): LedgerBatch =>
          batchOf({ attempts: [...settle(runId, jobId).attempts, ...dead(runId, jobId).attempts] });
        assert.deepEqual(await totalsAfter(handOff, atOnce), { ...settled, duplicates: 1 });
      });

      const retried = attempt({ outcome: 'retried' });

      it('tell how they were settled, once they are', async () => {
        const runId = await newRunId();
        const jobId = crypto.randomUUID();
        const tried = attemptRow(runId, { jobId, outcome: 'retried', error: 'AE: no' });
        await store().writeLedger(batchOf({ attempts: [tried] }));
        assert.equal(await store().settlementOf(runId, jobId), null);
        const dead = attemptRow(runId, { jobId, attempt: 2, outcome: 'dead', error: 'AE: never' });
        await store().writeLedger(batchOf({ attempts: [dead] }));
        assert.deepEqual(await store().settlementOf(runId, jobId), { outcome: 'dead', error: 'AE: never' });
      });

      it('are settled by an attempt that was to be tried again, and was made again instead', async () => {
        assert.deepEqual(await totalsAfter(handOff, retried, settle), { ...settled, duplicates: 1 });
        assert.deepEqual(await totalsAfter(retried, settle, handOff), { ...settled, duplicates: 1 });
      });

      it('are under way through attempts that are tried again, until their patient has ended', async () => {
        const [runId, jobId] = [await newRunId(), randomUUID()];
        const underWay = (): Promise<number[]> => store().handedOffIterations(runId, { after: 0, limit: 10 });
        await store().writeLedger(handOff(runId));
        await store().writeLedger(retried(runId, jobId));
        assert.deepEqual(await underWay(), [ITERATION]);
        const last = { ...attempt({ attempt: 2 })(runId, jobId), iterations: ended(runId).iterations };
        await store().writeLedger(last);
        assert.deepEqual(await underWay(), []);
      });

      it('say which iterations they carry, a page at a time, without those that have ended', async () => {
        const runId = await newRunId();
        const numbers = [5, 3, 2047, 9, 1, 1023, 7, 1024, 900_000];
        const handedOff = numbers.map((iteration) => ({ runId, iteration }));
        const others = handedOff.map(({ iteration }) => ({ runId: runId + 1000, iteration: iteration + 1 }));
        await store().writeLedger(
          batchOf({ handedOff: [...handedOff, ...others], iterations: [iterationRow(runId, 3)] }),
        );
        const page = (after: number, limit: number) => store().handedOffIterations(runId, { after, limit });
        assert.deepEqual(await page(0, 2), [1, 5]);
        assert.deepEqual(await page(5, 9), [7, 9, 1023, 1024, 2047, 900_000]);
        assert.deepEqual(await page(1023, 2), [1024, 2047]);
        assert.deepEqual(await page(900_000, 2), []);
      });

      it('and their hand-offs add up when both are written at once by two processes', async () => {
        const { one, other } = stores();
        const runId = await newRunId();
        const jobs = Array.from({ length: 600 }, (_, n) => ({ jobId: randomUUID(), iteration: 700 + n }));
        const part = (from: number) => jobs.slice(from, from + 60);
        const starts = Array.from({ length: 10 }, (_, i) => i * 60);
        const handingOff = starts.map((from, n) =>
          (n % 2 ? one : other).writeLedger(
            batchOf({ handedOff: part(from).map(({ iteration }) => ({ runId, iteration })) }),
          ),
        );
        const settling = starts.map((from) =>
          other.writeLedger(
            batchOf({
              attempts: part(from)
                .toReversed()
                .map(({ jobId }) => attemptRow(runId, { jobId })),
            }),
          ),
        );
        await Promise.all([...handingOff, ...settling]);
        const totals = await one.runTotals(runId);
        assert.deepEqual([totals.jobs, totals.jobsSucceeded, totals.duplicates], [600, 600, 0]);
        const underWay = await one.handedOffIterations(runId, { after: 0, limit: 1000 });
        assert.deepEqual(
          underWay,
          jobs.map(({ iteration }) => iteration),
        );
      });
    });

    describe('counts', () => {
      it('equal the rows when several write at once, some of them the same', async () => {
        const { one, other } = stores();
        const runId = await newRunId();
        const outcome = (n: number) => (['completed', 'failed', 'cancelled'] as const)[n % 3]!;
        const batch = (from: number): LedgerBatch => {
          const numbers = Array.from({ length: 50 }, (_, i) => from + i);
          return batchOf({
            iterations: numbers.map((n) => iterationRow(runId, n, { outcome: outcome(n) })),
            attempts: numbers.map((n) => attemptRow(runId, { patientIteration: n, durationUs: n })),
          });
        };
        const starts = Array.from({ length: 20 }, (_, i) => 1 + i * 25);
        await Promise.all(starts.map((from, i) => (i % 2 ? one : other).writeLedger(batch(from))));
        const rows = await one.readIterations(runId, { after: 0, limit: 1000 });
        assert.equal(rows.length, 525);
        const counted = { completed: 0, failed: 0, cancelled: 0 };
        for (const row of rows) counted[row.outcome]++;
        assert.deepEqual(await one.runCounts(runId), counted);
        const totals = await other.runTotals(runId);
        assert.deepEqual([totals.attempts, totals.jobs, totals.jobsSucceeded], [1000, 1000, 1000]);
        assert.deepEqual([totals.duplicates, totals.sutUs], [475, 525 * 1500]);
        assert.deepEqual([totals.attemptDurationMinUs, totals.attemptDurationMaxUs], [1, 525]);
      });

      it('are none for a run without rows', async () => {
        const none = { completed: 0, failed: 0, cancelled: 0 };
        const runId = await newRunId();
        assert.deepEqual(await store().runCounts(runId), none);
        const carried = { started: 0, orders: 0, instances: 0, bytes: 0 };
        assert.deepEqual(await store().runProgress(runId), { ...none, ...carried });
      });

      it('are told to those who watch with what the wires have carried', async () => {
        const runId = await newRunId();
        await store().writeLedger(
          batchOf({
            iterations: [iterationRow(runId, 1), iterationRow(runId, 2, { outcome: 'failed' })],
            windows: [
              windowRow(runId, 1, { series: 'order_ack', okCount: 3, failedCount: 9 }),
              windowRow(runId, 2, { series: 'order_ack', okCount: 4 }),
              windowRow(runId, 2, { series: 'dicom_store', okCount: 5, bytes: 700 }),
              windowRow(runId, 2, { series: 'job', okCount: 50, bytes: 1 }),
            ],
          }),
        );
        assert.deepEqual(await store().runProgress(runId), {
          ...{ completed: 1, failed: 1, cancelled: 0, started: 2 },
          ...{ orders: 7, instances: 5, bytes: 700 },
        });
        const missing = store().runProgress(1_000_000_000);
        await assert.rejects(missing, { code: 'RUN_NOT_FOUND' });
      });
    });

    describe('processes', () => {
      const queueing = (queue: string): NewRun => {
        const run = newRun();
        const [step] = run.template.steps;
        return { ...run, template: { ...run.template, steps: [{ ...step!, execution: 'async', queue }] } };
      };

      it('learn which runs are to stop and which queues are not open', async () => {
        const [cancelled, over]: RunRecord[] = [
          await store().createRun(newRun()),
          await store().createRun(newRun()),
        ];
        await store().requestCancel(cancelled!.id);
        await store().requestCancel(over!.id);
        await store().transitionRun(over!.id, 'over_cancelled');
        await store().createRun(queueing('q "1" of a run'));
        const ended = await store().createRun(queueing('q of a run that is over'));
        await store().transitionRun(ended.id, 'over_cancelled');
        await store().setQueueMode('p', 'paused');
        await store().setQueueMode('d', 'paused');
        await store().setQueueMode('d', 'draining');
        const state = await stores().other.control();
        assert.ok(state.cancelledRuns.includes(cancelled!.id));
        assert.ok(!state.cancelledRuns.includes(over!.id));
        assert.deepEqual(state.queueModes, { p: 'paused', d: 'draining' });
        assert.ok(state.activeQueues.includes('q "1" of a run'));
        assert.ok(!state.activeQueues.includes('q of a run that is over'));
        await store().setQueueMode('p', 'open');
        await store().setQueueMode('d', 'open');
        await store().setQueueMode('never seen', 'open');
        assert.deepEqual((await store().control()).queueModes, {});
      });

      it('tell of themselves and get the time of the database', async () => {
        const worker: WorkerHeartbeat = {
          workerId: randomUUID(),
          host: 'ward-3',
          pid: 42,
          version: '0.1.0',
          queues: ['a', 'b "c"'],
          concurrency: 8,
          busy: 0,
          jobs: 0,
          state: 'starting',
          held: {},
          startedAtMs: 1_790_000_000_000,
        };
        const first = await store().heartbeat(worker);
        const changed = { ...worker, busy: 3, jobs: 17, state: 'working' } as const;
        const second = await stores().other.heartbeat(changed);
        assert.ok(second >= first);
        const [found, ...others] = (await store().listWorkers({ seenSinceMs: 0 })).filter(
          ({ workerId }) => workerId === worker.workerId,
        );
        assert.deepEqual(others, []);
        assert.deepEqual(found, { ...changed, lastSeenAtMs: found!.lastSeenAtMs });
        assert.ok(Math.abs(found!.lastSeenAtMs - second) <= 1);
        assert.deepEqual(await store().listWorkers({ seenSinceMs: Math.ceil(second) + 60_000 }), []);
      });

      it('tell what they have in hand, queue by queue, until they have not been heard of for long', async () => {
        const beat = (held: Record<string, number>): WorkerHeartbeat => ({
          ...{ workerId: randomUUID(), host: 'h', pid: 1, version: '1', queues: [], concurrency: 8, busy: 0 },
          ...{ jobs: 0, state: 'working', startedAtMs: 0, held },
        });
        const first = beat({ 'held "1"': 3, 'held 2': 0 });
        await store().heartbeat(first);
        await stores().other.heartbeat(beat({ 'held "1"': 4 }));
        assert.deepEqual(await store().heldJobs(), { 'held "1"': 7 });
        await store().heartbeat({ ...first, held: {} });
        assert.deepEqual(await store().heldJobs(), { 'held "1"': 4 });
      });
    });
  });
}
