import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { attemptRow, batchOf, iterationRow, NO_DICOM } from './ledger-rows.ts';
import { LEASE_MS, runsOf, type SharedStores } from './shared-stores.ts';

/** What jobs that died are promised: to be found, and to be reopened. */
export function deadJobsConform(name: string, stores: () => SharedStores): void {
  describe(`${name}, dead jobs`, () => {
    const { store, newRunId, endOthers } = runsOf(stores);

    /** Two jobs of one run: the first fails for good in its second attempt, the other succeeds. */
    const runWithDeath = async () => {
      const runId = await newRunId();
      await store().transitionRun(runId, 'start');
      const [jobId, queue] = [randomUUID(), `q-${runId}`];
      const dead = { jobId, queue, patientIteration: 1, errorCode: 'MLLP_NAK_ERROR', error: 'AE: no' };
      const dicom = { ...NO_DICOM, attemptedInstances: 5, successInstances: 2, sendMinUs: 4 };
      await store().writeLedger(
        batchOf({
          handedOff: [1, 2].map((iteration) => ({ runId, iteration })),
          attempts: [
            attemptRow(runId, { ...dead, outcome: 'retried' }),
            attemptRow(runId, { ...dead, attempt: 2, outcome: 'dead', createdAtMs: 1_790_000_000_777 }),
            attemptRow(runId, { patientIteration: 2 }),
          ],
          iterations: [
            iterationRow(runId, 1, {
              outcome: 'failed',
              failedStep: 2,
              errorCode: 'MLLP_NAK_ERROR',
              dicom,
            }),
            iterationRow(runId, 2),
          ],
        }),
      );
      return { runId, jobId, queue };
    };

    it('are listed with what they died of, newest first', async () => {
      const { runId, jobId, queue } = await runWithDeath();
      const [found, ...others] = await store().deadJobs({ runId, limit: 10 });
      assert.deepEqual(others, []);
      assert.deepEqual(found, {
        jobId,
        runId,
        iteration: 1,
        queue,
        jobType: null,
        metadata: {},
        attempts: 2,
        failedStep: 2,
        errorCode: 'MLLP_NAK_ERROR',
        error: 'AE: no',
        diedAtMs: 1_790_000_000_777,
        requeues: 0,
      });
      const later = await runWithDeath();
      const newest = await store().deadJobs({ limit: 2 });
      assert.deepEqual(
        newest.map((job) => job.jobId),
        [later.jobId, jobId],
      );
      assert.deepEqual(await store().deadJobs({ queue, limit: 9 }), [found]);
    });

    it('are listed when the row of their last attempt says that it was to be retried', async () => {
      const runId = await newRunId();
      const tried = attemptRow(runId, { outcome: 'retried', errorCode: 'MLLP_NAK_ERROR', error: 'AE: no' });
      await store().writeLedger(batchOf({ attempts: [tried] }));
      const again = attemptRow(runId, {
        jobId: tried.jobId,
        outcome: 'dead',
        errorCode: 'JOB_UNDELIVERABLE',
      });
      await store().writeLedger(batchOf({ attempts: [again] }));
      const dead = await store().deadJobs({ runId, limit: 9 });
      assert.deepEqual(
        dead.map(({ jobId, error }) => [jobId, error]),
        [[tried.jobId, 'AE: no']],
      );
    });

    it('are undone when they are reopened, once, and their run waits again', async () => {
      const { runId, jobId } = await runWithDeath();
      await store().transitionRun(runId, 'over_failed', { startedIterations: 2 });
      const dead = [{ jobId, runId, iteration: 1 }];
      await Promise.all([store().reopenJobs(dead), stores().other.reopenJobs(dead)]);
      assert.deepEqual(await store().deadJobs({ runId, limit: 9 }), []);
      const run = await store().getRun(runId);
      assert.deepEqual([run.status, run.completedAtMs], ['WAITING_ON_WORKERS', null]);
      assert.deepEqual(await store().runCounts(runId), { completed: 1, failed: 0, cancelled: 0 });
      assert.deepEqual(await store().handedOffIterations(runId, { after: 0, limit: 9 }), [1]);
      const totals = await store().runTotals(runId);
      assert.deepEqual([totals.jobs, totals.jobsSucceeded, totals.jobsDead], [2, 1, 0]);
      assert.deepEqual([totals.requeued, totals.attempts, totals.duplicates], [1, 3, 0]);
      assert.deepEqual([totals.dicom.attemptedInstances, totals.failures], [0, []]);
    });

    it('end their run anew, from whoever claims it', async () => {
      await endOthers();
      const { runId, jobId } = await runWithDeath();
      await store().transitionRun(runId, 'over_ok', { startedIterations: 2 });
      await store().reopenJobs([{ jobId, runId, iteration: 1 }]);
      const claim = (await store().claimRun('a', LEASE_MS))!;
      assert.deepEqual([claim.run.id, claim.resumed, claim.run.startedIterations], [runId, true, 2]);
      await store().writeLedger(
        batchOf({
          attempts: [attemptRow(runId, { jobId, attempt: 3 })],
          iterations: [iterationRow(runId, 1)],
        }),
      );
      const change = { fence: claim.fence, finishedIterations: 2 };
      assert.equal((await store().transitionRun(runId, 'over_ok', change)).status, 'COMPLETED');
      const totals = await store().runTotals(runId);
      assert.deepEqual([totals.completed, totals.failed, totals.requeued], [2, 0, 1]);
      assert.deepEqual([totals.jobs, totals.jobsSucceeded, totals.duplicates], [2, 2, 0]);
    });

    it('are repeat offenders when they die again', async () => {
      const { runId, jobId, queue } = await runWithDeath();
      await store().reopenJobs([{ jobId, runId, iteration: 1 }]);
      assert.equal((await store().getRun(runId)).status, 'RUNNING');
      const again = attemptRow(runId, {
        jobId,
        queue,
        attempt: 3,
        outcome: 'dead',
        errorCode: 'MLLP_TIMEOUT',
      });
      await store().writeLedger(
        batchOf({ attempts: [again], iterations: [iterationRow(runId, 1, { outcome: 'failed' })] }),
      );
      const [found, ...others] = await store().deadJobs({ runId, limit: 9 });
      assert.deepEqual(others, []);
      assert.deepEqual([found!.attempts, found!.requeues, found!.errorCode], [3, 1, 'MLLP_TIMEOUT']);
      assert.equal((await store().runTotals(runId)).jobsDead, 1);
    });

    it('of a cancelled run stay dead', async () => {
      const { runId, jobId } = await runWithDeath();
      await store().transitionRun(runId, 'over_cancelled');
      const reopened = store().reopenJobs([{ jobId, runId, iteration: 1 }]);
      await assert.rejects(reopened, { code: 'RUN_STATE' });
      assert.equal((await store().deadJobs({ runId, limit: 9 })).length, 1);
    });

    it('and whatever else is asked to be reopened: what is not dead stays as it is', async () => {
      const runId = await newRunId();
      const [success, open] = [attemptRow(runId), { runId, iteration: 2 }];
      await store().writeLedger(
        batchOf({ attempts: [success], handedOff: [open], iterations: [iterationRow(runId, 1)] }),
      );
      await store().transitionRun(runId, 'over_failed');
      await store().reopenJobs([
        { jobId: success.jobId, runId, iteration: 1 },
        { jobId: randomUUID(), ...open },
        { jobId: randomUUID(), runId: runId + 1000, iteration: 1 },
      ]);
      assert.equal((await store().getRun(runId)).status, 'ERROR');
      assert.deepEqual(await store().runCounts(runId), { completed: 1, failed: 0, cancelled: 0 });
    });
  });
}
