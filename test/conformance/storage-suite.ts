import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NAMESPACE_COUNT } from '../../src/domain/identity.ts';
import { manifestHash } from '../../src/domain/manifest.ts';
import { decodeHistogram } from '../../src/metrics/histogram.ts';
import type { StoragePort } from '../../src/storage/port.ts';
import { attemptRow, batchOf, eventRow, iterationRow, NO_DICOM, newRun, windowRow } from './ledger-rows.ts';

/** What every storage promises, held against whatever `store` gives; each test has a run of its own. */
export function storageConforms(name: string, store: () => StoragePort): void {
  describe(name, () => {
    const newRunId = async (): Promise<number> => (await store().createRun(newRun())).id;

    it('keeps its id and seed', async () => {
      const first = await store().deployment();
      assert.match(first.id, /^[0-9a-f-]{36}$/);
      assert.ok(Number.isSafeInteger(first.seed));
      assert.deepEqual(await store().deployment(), first);
    });

    it('gives disjoint blocks of namespaces to whoever asks at once', async () => {
      const counts = [1, 3, 2, 5, 1, 1, 4];
      const starts = await Promise.all(counts.map((count) => store().claimNamespaces(count)));
      const taken = starts.flatMap((start, i) => Array.from({ length: counts[i]! }, (_, k) => start + k));
      assert.equal(new Set(taken).size, taken.length);
      await assert.rejects(store().claimNamespaces(NAMESPACE_COUNT), { code: 'NAMESPACE_EXHAUSTED' });
      assert.equal(await store().claimNamespaces(1), Math.max(...taken) + 1);
    });

    it('gives back a run as it was given', async () => {
      const given = newRun();
      const run = await store().createRun(given);
      assert.deepEqual({ ...run, ...given }, run);
      assert.equal(run.status, 'PENDING');
      assert.equal(run.startedAtMs, null);
      assert.deepEqual(await store().getRun(run.id), run);
      await assert.rejects(store().getRun(run.id + 1000), { code: 'RUN_NOT_FOUND' });
    });

    it('moves a run only along its state table', async () => {
      const id = await newRunId();
      await assert.rejects(store().transitionRun(id, 'runner_ended'), { code: 'RUN_STATE' });
      const running = await store().transitionRun(id, 'start');
      assert.equal(running.status, 'RUNNING');
      assert.ok(running.startedAtMs);
      const waiting = await store().transitionRun(id, 'runner_ended', { startedIterations: 10 });
      assert.equal(waiting.startedIterations, 10);
      assert.equal(waiting.completedAtMs, null);
      const over = await store().transitionRun(id, 'over_ok');
      assert.equal(over.status, 'COMPLETED');
      assert.equal(over.startedAtMs, running.startedAtMs);
      assert.equal(over.startedIterations, 10);
      assert.ok(over.completedAtMs);
      await assert.rejects(store().transitionRun(id, 'over_failed'), { code: 'RUN_STATE' });
      await assert.rejects(store().transitionRun(id + 1000, 'start'), { code: 'RUN_NOT_FOUND' });
    });

    it('lets one of two equal transitions win', async () => {
      const id = await newRunId();
      await store().transitionRun(id, 'start');
      const outcomes = await Promise.allSettled([
        store().transitionRun(id, 'over_ok'),
        store().transitionRun(id, 'over_ok'),
      ]);
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    });

    it('marks a run for cancelling until it is over', async () => {
      const [live, over] = [await newRunId(), await newRunId()];
      await store().transitionRun(over, 'over_failed');
      assert.equal((await store().requestCancel(live)).cancelRequested, true);
      assert.equal((await store().getRun(live)).cancelRequested, true);
      assert.equal((await store().requestCancel(over)).cancelRequested, false);
      await assert.rejects(store().requestCancel(over + 1000), { code: 'RUN_NOT_FOUND' });
    });

    it('lists runs newest first, those of a status alone', async () => {
      const [first, second] = [await newRunId(), await newRunId()];
      await store().transitionRun(first, 'start');
      assert.deepEqual(
        (await store().listRuns({ limit: 2 })).map(({ id }) => id),
        [second, first],
      );
      const running = await store().listRuns({ statuses: ['RUNNING'], limit: 1 });
      assert.deepEqual(
        running.map(({ id }) => id),
        [first],
      );
      assert.deepEqual(await store().listRuns({ statuses: [], limit: 9 }), []);
    });

    it('gives back ledger rows as they were given', async () => {
      const runId = await newRunId();
      const attempt = attemptRow(runId, {
        outcome: 'dead',
        errorCode: 'MLLP_GARBAGE',
        error: 'peer said "\\x", {NULL}, \n ü, and NULL',
        jobType: 'NULL',
        queueWaitUs: null,
        possiblyRepeated: true,
      });
      const iteration = iterationRow(runId, 1, {
        outcome: 'failed',
        failedStep: 2,
        errorCode: 'MLLP_TIMEOUT',
        error: '',
        studyInstanceUids: ['2.25.1', '2.25.2'],
        dicom: { ...NO_DICOM, attemptedBytes: 5e10, sendMinUs: 3, throughputMinMbps: 1.25 },
      });
      const event = eventRow(runId, { details: 'a\tb' });
      const window = windowRow(runId, 1_790_000_000);
      const health = {
        runId,
        processId: 'p1',
        second: 1_790_000_000,
        cpuShare: 0.75,
        loopDelayP99Us: 10,
        loopDelayMaxUs: 20,
        rssBytes: 5e9,
        heapUsedBytes: 1,
        externalBytes: 2,
      };
      const depth = { runId, queue: 'q', second: 1_790_000_000, ready: 3, unacknowledged: 2, consumers: 1 };
      await store().writeLedger({
        handedOff: [],
        attempts: [attempt],
        iterations: [iteration, iterationRow(runId, 2)],
        events: [event],
        windows: [window],
        health: [health],
        depths: [depth],
      });
      const [readAttempt] = await store().readAttempts(runId, { afterId: 0, limit: 10 });
      assert.deepEqual({ ...attempt, id: readAttempt!.id }, readAttempt);
      const page = { after: 0, limit: 10 };
      assert.deepEqual(await store().readIterations(runId, page), [iteration, iterationRow(runId, 2)]);
      const [readEvent] = await store().readEvents(runId, { afterId: 0, limit: 10 });
      assert.deepEqual({ ...event, id: readEvent!.id }, readEvent);
      assert.deepEqual(await store().readWindows(runId, { afterSecond: 0, limit: 10 }), [window]);
      assert.deepEqual(await store().readHealth(runId), [health]);
      assert.deepEqual(await store().readDepths(runId), [depth]);
    });

    it('gives back rows that have much in common as they were given', async () => {
      const runId = await newRunId();
      const common = { queue: 'q', error: 'no answer', stepsExecuted: 0, possiblyRepeated: true };
      const attempts = [null, null, 'store', 'store', null].map((jobType, n) =>
        attemptRow(runId, {
          ...common,
          jobType,
          queueWaitUs: n === 4 ? 1 : null,
          durationUs: n,
          outcome: 'retried',
        }),
      );
      const iterations = [1, 2, 3].map((n) =>
        iterationRow(runId, n, {
          failedStep: n === 2 ? 1 : null,
          studyInstanceUids: n === 1 ? [] : ['2.25.1'],
          digestLanes: ['0', '0', '0', `${n}`],
        }),
      );
      const events = [eventRow(runId), eventRow(runId), eventRow(runId)];
      await store().writeLedger(batchOf({ attempts, iterations, events }));
      const page = { afterId: 0, limit: 10 };
      const withoutId = <Row extends { id: number }>({ id, ...row }: Row): Omit<Row, 'id'> => row;
      assert.deepEqual((await store().readAttempts(runId, page)).map(withoutId), attempts);
      assert.deepEqual(await store().readIterations(runId, { after: 0, limit: 10 }), iterations);
      assert.deepEqual((await store().readEvents(runId, page)).map(withoutId), events);
    });

    it('keeps the last depth of a queue in a second', async () => {
      const runId = await newRunId();
      const depth = { runId, queue: 'q', second: 7, ready: 19, unacknowledged: 0, consumers: 1 };
      const [later, last] = [
        { ...depth, ready: 4 },
        { ...depth, ready: 0, unacknowledged: 1 },
      ];
      await store().writeLedger(batchOf({ depths: [depth, later] }));
      assert.deepEqual(await store().readDepths(runId), [later]);
      await store().writeLedger(batchOf({ depths: [last] }));
      assert.deepEqual(await store().readDepths(runId), [last]);
    });

    it('stores text with NUL and text without end in the form that a database can hold', async () => {
      const runId = await newRunId();
      const row = iterationRow(runId, 1, { outcome: 'failed', error: `\u0000${'x'.repeat(10_000)}` });
      await store().writeLedger(batchOf({ iterations: [row] }));
      const [read] = await store().readIterations(runId, { after: 0, limit: 1 });
      assert.equal(read!.error, `\ufffd${'x'.repeat(3_999)}`);
    });

    it('gives back any text', async () => {
      const runId = await newRunId();
      const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 60 }), { numRuns: 60, seed: 7 });
      await store().writeLedger(batchOf({ events: texts.map((details) => eventRow(runId, { details })) }));
      const uids = iterationRow(runId, 1, { studyInstanceUids: texts.slice(0, 20) });
      await store().writeLedger(batchOf({ iterations: [uids] }));
      const held = texts.map((text) => text.replaceAll('\u0000', '\ufffd'));
      const events = await store().readEvents(runId, { afterId: 0, limit: 1000 });
      assert.deepEqual(
        events.map(({ details }) => details),
        held,
      );
      const [iteration] = await store().readIterations(runId, { after: 0, limit: 1 });
      assert.deepEqual(iteration!.studyInstanceUids, held.slice(0, 20));
    });

    it('rounds measured fractions and refuses what is no number', async () => {
      const runId = await newRunId();
      await store().writeLedger(batchOf({ iterations: [iterationRow(runId, 1, { sutUs: 12.6 })] }));
      assert.equal((await store().readIterations(runId, { after: 0, limit: 1 }))[0]!.sutUs, 13);
      const bad = iterationRow(runId, 2, { ownUs: Number.NaN });
      await assert.rejects(async () => store().writeLedger(batchOf({ iterations: [bad] })), {
        code: 'INTERNAL',
      });
    });

    it('counts an attempt, a settlement and a terminal row once, the first', async () => {
      const runId = await newRunId();
      const retried = attemptRow(runId, { outcome: 'retried' });
      const settled = attemptRow(runId, { jobId: retried.jobId, attempt: 2 });
      const first = await store().writeLedger(
        batchOf({ attempts: [retried, settled], iterations: [iterationRow(runId, 1)] }),
      );
      assert.deepEqual(first, { duplicateAttempts: 0, duplicateIterations: 0 });
      const again = await store().writeLedger(
        batchOf({
          attempts: [{ ...settled, outcome: 'dead' }, attemptRow(runId)],
          iterations: [iterationRow(runId, 1, { outcome: 'failed' }), iterationRow(runId, 2)],
        }),
      );
      assert.deepEqual(again, { duplicateAttempts: 1, duplicateIterations: 1 });
      const lateSettlement = attemptRow(runId, { jobId: retried.jobId, attempt: 3, outcome: 'dead' });
      const late = await store().writeLedger(batchOf({ attempts: [lateSettlement] }));
      assert.deepEqual(late, { duplicateAttempts: 1, duplicateIterations: 0 });
      const totals = await store().runTotals(runId);
      assert.equal(totals.duplicates, 3);
      assert.equal(totals.attempts, 4);
      assert.equal(totals.jobs, 2);
      assert.equal(totals.jobsSucceeded, 2);
      assert.equal(totals.jobsDead, 0);
      assert.equal(totals.completed, 2);
      assert.equal(totals.failed, 0);
    });

    it('charges duplicates to their own run', async () => {
      const [one, two] = [await newRunId(), await newRunId()];
      const rows = [iterationRow(one, 1), iterationRow(two, 1), iterationRow(two, 2)];
      await store().writeLedger(batchOf({ iterations: rows }));
      await store().writeLedger(batchOf({ iterations: [...rows, iterationRow(one, 2)] }));
      assert.equal((await store().runTotals(one)).duplicates, 1);
      assert.equal((await store().runTotals(two)).duplicates, 2);
    });

    it('keeps each row once when equal batches are written at once', async () => {
      const runId = await newRunId();
      const jobIds = Array.from({ length: 200 }, () => randomUUID());
      const batch = batchOf({
        attempts: jobIds.map((jobId, i) => attemptRow(runId, { jobId, patientIteration: i + 1 })),
        iterations: jobIds.map((_, i) => iterationRow(runId, i + 1)),
      });
      const reversed = batchOf({
        attempts: batch.attempts.toReversed(),
        iterations: batch.iterations.toReversed(),
      });
      const receipts = await Promise.all(
        [batch, reversed, batch, reversed].map((b) => store().writeLedger(b)),
      );
      assert.equal(
        receipts.reduce((sum, r) => sum + r.duplicateAttempts, 0),
        600,
      );
      assert.equal(
        receipts.reduce((sum, r) => sum + r.duplicateIterations, 0),
        600,
      );
      const totals = await store().runTotals(runId);
      assert.equal(totals.attempts, 200);
      assert.equal(totals.jobs, 200);
      assert.equal(totals.completed, 200);
      assert.equal(totals.duplicates, 1200);
    });

    it('writes nothing of a batch of which a part cannot be written', async () => {
      const runId = await newRunId();
      const attempts = [attemptRow(runId, { jobId: 'no uuid' })];
      const written = store().writeLedger(batchOf({ iterations: [iterationRow(runId, 1)], attempts }));
      await assert.rejects(written, { code: 'STORAGE_FAILED' });
      assert.equal(await store().countFinished(runId), 0);
    });

    it('takes an empty batch', async () => {
      assert.deepEqual(await store().writeLedger(batchOf({})), {
        duplicateAttempts: 0,
        duplicateIterations: 0,
      });
    });

    it('derives totals that equal the rows', async () => {
      const runId = await newRunId();
      const sent = {
        ...NO_DICOM,
        attemptedInstances: 4,
        successInstances: 4,
        successBytes: 2 ** 40,
        sendMinUs: 5,
      };
      const partly = { ...NO_DICOM, attemptedInstances: 4, successInstances: 3, sendMinUs: 2, sendMaxUs: 9 };
      const fault = {
        outcome: 'failed',
        failedStep: 2,
        errorCode: 'MLLP_TIMEOUT',
        error: 'no answer',
      } as const;
      await store().writeLedger(
        batchOf({
          iterations: [
            iterationRow(runId, 1, { studyInstanceUids: ['2.25.1', '2.25.2'], dicom: sent }),
            iterationRow(runId, 2, { ...fault, studyInstanceUids: ['2.25.3'], dicom: partly }),
            iterationRow(runId, 3, { ...fault, possiblyRepeated: true }),
            iterationRow(runId, 4, { ...fault, error: 'another' }),
            iterationRow(runId, 5, { outcome: 'cancelled' }),
          ],
          attempts: [
            attemptRow(runId, { durationUs: 100, patientIteration: 3, possiblyRepeated: true }),
            attemptRow(runId, {
              durationUs: 300,
              outcome: 'dead',
              patientIteration: 4,
              possiblyRepeated: true,
            }),
          ],
          windows: [
            windowRow(runId, 10),
            windowRow(runId, 12, { okLastUs: null }),
            windowRow(runId, 12, { processId: 'p2', okMaxUs: 400, okLastUs: 150 }),
            windowRow(runId, 11, { series: 'step_2_send_mllp' }),
          ],
          depths: [
            { runId, queue: 'a', second: 1, ready: 5, unacknowledged: 2, consumers: 1 },
            { runId, queue: 'b', second: 1, ready: 1, unacknowledged: 0, consumers: 1 },
            { runId, queue: 'a', second: 2, ready: 0, unacknowledged: 1, consumers: 1 },
          ],
        }),
      );
      const { series, ...totals } = await store().runTotals(runId);
      assert.deepEqual(totals, {
        runId,
        completed: 1,
        failed: 3,
        cancelled: 1,
        jobs: 2,
        jobsSucceeded: 1,
        jobsDead: 1,
        requeued: 0,
        attempts: 2,
        attemptsSucceeded: 1,
        attemptDurationSumUs: 400,
        attemptDurationMinUs: 100,
        attemptDurationMaxUs: 300,
        duplicates: 0,
        possiblyRepeated: 2,
        sutUs: 7500,
        ownUs: 2500,
        dicom: {
          ...NO_DICOM,
          attemptedInstances: 8,
          successInstances: 7,
          successBytes: 2 ** 40,
          sendMinUs: 2,
          sendMaxUs: 9,
        },
        studiesStored: 2,
        queueMaxDepth: 8,
        queueLastDepth: 1,
        manifestSha256: manifestHash(['5', '-10', `${5n * (2n ** 63n - 1n)}`, `${5n * -(2n ** 63n)}`]),
        failures: [
          { code: 'MLLP_TIMEOUT', message: 'no answer', count: 2, failedStep: 2 },
          { code: 'MLLP_TIMEOUT', message: 'another', count: 1, failedStep: 2 },
        ],
      });
      assert.deepEqual(
        series.map(({ series: s }) => s),
        ['order_ack', 'step_2_send_mllp'],
      );
      const { okHistogram, ...ack } = series[0]!;
      assert.equal(decodeHistogram(okHistogram!).count, 6);
      assert.deepEqual(ack, {
        series: 'order_ack',
        okCount: 6,
        okSumUs: 1200,
        okMinUs: 100,
        okMaxUs: 400,
        okLastUs: 150,
        failedCount: 0,
        failedSumUs: 0,
        failedMinUs: null,
        failedMaxUs: null,
        bytes: 30,
        failedHistogram: null,
        firstSecond: 10,
        lastSecond: 12,
      });
    });

    it('keeps the first of two windows of a series, process and second', async () => {
      const runId = await newRunId();
      await store().writeLedger(batchOf({ windows: [windowRow(runId, 1)] }));
      await store().writeLedger(
        batchOf({ windows: [windowRow(runId, 1, { okCount: 9 }), windowRow(runId, 2)] }),
      );
      const read = await store().readWindows(runId, { afterSecond: 0, limit: 10 });
      assert.deepEqual(
        read.map(({ second, okCount }) => [second, okCount]),
        [
          [1, 2],
          [2, 2],
        ],
      );
    });

    it('pages through rows without losing or repeating one', async () => {
      const runId = await newRunId();
      const numbers = Array.from({ length: 7 }, (_, i) => i + 1);
      await store().writeLedger(
        batchOf({
          iterations: numbers.toReversed().map((n) => iterationRow(runId, n)),
          attempts: numbers.map((n) => attemptRow(runId, { patientIteration: n })),
          events: numbers.map((n) => eventRow(runId, { iteration: n })),
          windows: numbers.flatMap((n) => [windowRow(runId, n), windowRow(runId, n, { processId: 'p2' })]),
        }),
      );
      const attempts = [];
      for (let afterId = 0; ; afterId = attempts.at(-1)!.id) {
        const page = await store().readAttempts(runId, { afterId, limit: 3 });
        attempts.push(...page);
        if (page.length < 3) break;
      }
      assert.deepEqual(
        attempts.map((row) => row.patientIteration),
        numbers,
      );
      const events = await store().readEvents(runId, { afterId: 0, limit: 4 });
      const rest = await store().readEvents(runId, { afterId: events.at(-1)!.id, limit: 4 });
      assert.deepEqual(
        [...events, ...rest].map((row) => row.iteration),
        numbers,
      );
      assert.deepEqual(await store().finishedIterations(runId, { after: 2, limit: 3 }), [3, 4, 5]);
      assert.equal(await store().countFinished(runId), 7);
      const windows = await store().readWindows(runId, { afterSecond: 2, limit: 3 });
      assert.deepEqual(
        windows.map((row) => row.second),
        [3, 3, 4, 4],
      );
      const iterations = await store().readIterations(runId, { after: 5, limit: 9 });
      assert.deepEqual(
        iterations.map((row) => row.iteration),
        [6, 7],
      );
    });

    it('accounts for 50,000 rows', async () => {
      const runId = await newRunId();
      const size = 2500;
      for (let start = 0; start < 25_000; start += size) {
        const numbers = Array.from({ length: size }, (_, i) => start + i + 1);
        await store().writeLedger(
          batchOf({
            iterations: numbers.map((n) => iterationRow(runId, n)),
            attempts: numbers.map((n) => attemptRow(runId, { patientIteration: n })),
          }),
        );
      }
      const totals = await store().runTotals(runId);
      assert.equal(totals.completed, 25_000);
      assert.equal(totals.attemptsSucceeded, 25_000);
      assert.equal(totals.jobsSucceeded, 25_000);
      assert.equal(totals.sutUs, 25_000 * 1500);
    });

    it('remembers registered targets until they are removed', async () => {
      const target = {
        host: 'pacs.test',
        port: 104,
        aeTitle: 'PACS',
        owner: 'QA',
        expiresAtMs: 1_800_000_000_000,
        maxAssociations: 4,
        maxMessagesPerSecond: null,
        maxBytes: 1e12,
      };
      await store().registerTarget(target);
      const changed = { ...target, owner: 'PACS team', maxMessagesPerSecond: 2.5 };
      await store().registerTarget(changed);
      assert.deepEqual(await store().listTargets(), [changed]);
      assert.equal(await store().removeTarget('pacs.test', 104), true);
      assert.equal(await store().removeTarget('pacs.test', 104), false);
      assert.deepEqual(await store().listTargets(), []);
    });
  });
}
