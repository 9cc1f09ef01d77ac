import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { RunEvent } from '../../src/domain/run-state.ts';
import type { Template } from '../../src/domain/template.ts';
import type { AttemptRow, NewRun } from '../../src/storage/port.ts';
import type {
  AttemptFilter,
  RunFilter,
  ScalingDecision,
  ServerStore,
} from '../../src/storage/server-port.ts';
import { attemptRow, batchOf, eventRow, iterationRow, NO_DICOM, newRun, windowRow } from './ledger-rows.ts';

function withQueue(queue: string): Template {
  const step = { stepOrder: 1, label: null, execution: 'async', jobType: null, retry: null } as const;
  const wait = { stepType: 'WAIT', parameters: { durationSeconds: 1 } } as const;
  const steps = [{ ...step, ...wait, queue, metadata: {}, repeat: { count: 1, delayMs: 0 } }];
  return { ...newRun().template, steps };
}

/** What the server is promised of its views of the ledger, and of what it writes down itself. */
export function serverLedgerConforms(
  name: string,
  stores: () => { one: ServerStore; other: ServerStore },
): void {
  describe(`${name}, as the server reads it`, () => {
    const store = (): ServerStore => stores().one;
    const newRunId = async (change: Partial<NewRun> = {}): Promise<number> =>
      (await store().createRun(newRun(change))).id;
    const newUserId = async (): Promise<number> => {
      const username = randomUUID();
      return (await store().createUser({ username, email: username, passwordHash: '' })).id;
    };
    const move = async (runId: number, ...events: RunEvent[]): Promise<void> => {
      for (const event of events) await store().transitionRun(runId, event);
    };
    const writeAttempts = async (rows: readonly AttemptRow[]): Promise<void> => {
      // One at a time: rows of one batch need not have their ids in its order.
      for (const row of rows) await store().writeLedger(batchOf({ attempts: [row] }));
    };

    describe('runs', () => {
      it('are summed up without their template', async () => {
        const username = `u-${randomUUID()}`;
        const user = await store().createUser({ username, email: username, passwordHash: '' });
        const run = await store().createRun(newRun({ userId: user.id }));
        await store().transitionRun(run.id, 'start', { startedIterations: 4 });
        const summary = await store().runSummary(run.id);
        const now = await store().getRun(run.id);
        assert.deepEqual(summary, {
          ...{ id: run.id, userId: user.id, username, templateId: null, templateName: run.template.name },
          ...{ patientCount: 10, status: 'RUNNING', tags: run.tags, seed: 2 ** 53 - 1, namespace: 3 },
          ...{ startedIterations: 4, createdAtMs: run.createdAtMs, updatedAtMs: now.updatedAtMs },
          ...{ startedAtMs: now.startedAtMs, completedAtMs: null },
        });
        await assert.rejects(store().runSummary(run.id + 1000), { code: 'RUN_NOT_FOUND' });
      });

      it('are listed newest first, by what is asked for, page by page', async () => {
        const userId = await newUserId();
        const { id: templateId } = await store().createTemplate({
          ...{ userId, name: 't', description: null, settings: {}, steps: [] },
        });
        const [a, b, c, d] = [
          await newRunId({ userId }),
          await newRunId({ userId, templateId }),
          await newRunId({ userId }),
          await newRunId({ templateId }),
        ];
        await move(b, 'start');
        await move(c, 'start', 'over_ok');
        const { startedAtMs, completedAtMs } = await store().runSummary(c);
        const ids = async (filter: Partial<RunFilter>): Promise<number[]> =>
          (await store().listRunSummaries({ limit: 100, ...filter })).map(({ id }) => id);
        assert.deepEqual(await ids({ userId }), [c, b, a]);
        assert.deepEqual((await ids({})).slice(0, 4), [d, c, b, a]);
        assert.deepEqual(await ids({ userId, limit: 2 }), [c, b]);
        assert.deepEqual(await ids({ userId, beforeId: b }), [a]);
        assert.deepEqual(await ids({ runId: b }), [b]);
        assert.deepEqual(await ids({ runId: d, userId }), []);
        assert.deepEqual(await ids({ runId: b, beforeId: b }), []);
        assert.deepEqual(await ids({ templateId }), [d, b]);
        assert.deepEqual(await ids({ userId, templateId }), [b]);
        assert.deepEqual(await ids({ userId, status: 'COMPLETED' }), [c]);
        assert.deepEqual(await ids({ userId, startedFromMs: startedAtMs! }), [c]);
        assert.deepEqual(await ids({ userId, startedFromMs: startedAtMs! + 1 }), []);
        assert.deepEqual(await ids({ userId, completedToMs: completedAtMs! }), [c]);
        assert.deepEqual(await ids({ userId, completedToMs: completedAtMs! - 1 }), []);
      });

      it('have the totals together that each has alone', async () => {
        const ids = [await newRunId(), await newRunId(), await newRunId()];
        const [first, second] = ids as [number, number];
        const failed = { outcome: 'failed', errorCode: 'MLLP_TIMEOUT', failedStep: 2 } as const;
        const big = 9_000_000_000_000_000;
        const windows = Array.from({ length: 2_100 }, (_, i) => windowRow(first, i));
        await store().writeLedger(
          batchOf({
            attempts: [
              attemptRow(first, { durationUs: big }),
              attemptRow(second, { outcome: 'dead', possiblyRepeated: true }),
            ],
            iterations: [
              iterationRow(first, 1, { sutUs: big, dicom: { ...NO_DICOM, sendCount: 1, sendMinUs: 3 } }),
              iterationRow(first, 2, { ...failed, error: 'no answer from 10.0.0.17:2575' }),
              iterationRow(first, 3, { ...failed, error: 'no answer from 10.0.0.18:2575' }),
              iterationRow(second, 1, { ...failed, error: 'other', errorCode: null }),
            ],
            windows: [...windows, windowRow(second, 7, { series: 'job' })],
            depths: [
              { runId: first, second: 1, queue: 'a', ready: 5, unacknowledged: 2, consumers: 1 },
              { runId: first, second: 2, queue: 'a', ready: 1, unacknowledged: 0, consumers: 1 },
            ],
          }),
        );
        const together = await store().totalsOfRuns([...ids, ids[2]! + 1000]);
        const alone = await Promise.all(ids.map((id) => store().runTotals(id)));
        assert.deepEqual(
          together.toSorted((a, b) => a.runId - b.runId),
          alone,
        );
        assert.equal(alone[0]!.sutUs, big + 3000);
        assert.deepEqual(
          alone.map(({ series }) => series.map(({ okCount, lastSecond }) => [okCount, lastSecond])),
          [[[2_100 * windows[0]!.okCount, 2_099]], [[windows[0]!.okCount, 7]], []],
        );
        assert.deepEqual([alone[0]!.queueMaxDepth, alone[0]!.queueLastDepth], [7, 1]);
        assert.deepEqual(
          alone[0]!.failures.map(({ count, failedStep }) => [count, failedStep]),
          [[2, 2]],
        );
        assert.equal(alone[1]!.failures[0]!.code, 'INTERNAL');
        assert.deepEqual([alone[2]!.jobs, alone[2]!.queueMaxDepth, alone[2]!.series], [0, null, []]);
        assert.deepEqual(await store().totalsOfRuns([]), []);
      });

      it('are deleted with every row, but not before they are over', async () => {
        const rows = (runId: number) =>
          batchOf({
            attempts: [attemptRow(runId), attemptRow(runId)],
            iterations: [iterationRow(runId, 1)],
            events: [eventRow(runId), eventRow(runId)],
            windows: [windowRow(runId, 1)],
            depths: [{ runId, second: 1, queue: 'a', ready: 5, unacknowledged: 2, consumers: 1 }],
          });
        const [over, other, open] = [await newRunId(), await newRunId(), await newRunId()];
        for (const id of [over, other, open]) await store().writeLedger(rows(id));
        await move(over, 'start', 'over_ok');
        await move(other, 'over_failed');
        await store().totalsOfRuns([over]);
        assert.deepEqual(await store().deleteRuns([open, over, over + 1000]), [over]);
        assert.deepEqual(await store().deleteRuns([over]), []);
        assert.deepEqual(await store().deleteRuns([]), []);
        await assert.rejects(store().getRun(over), { code: 'RUN_NOT_FOUND' });
        assert.deepEqual(await store().totalsOfRuns([over]), []);
        const page = { afterId: 0, after: 0, afterSecond: -1, limit: 10 };
        assert.deepEqual(
          await Promise.all([
            store().readAttempts(over, page),
            store().readIterations(over, page),
            store().readEvents(over, page),
            store().readWindows(over, page),
            store().readDepths(over),
          ]),
          [[], [], [], [], []],
        );
        assert.deepEqual(await store().runCounts(over), { completed: 0, failed: 0, cancelled: 0 });
        for (const id of [other, open]) {
          assert.equal((await store().runTotals(id)).attempts, 2, 'the others keep theirs');
          assert.equal((await store().readEvents(id, page)).length, 2);
        }
      });

      it('are deleted with more rows than one statement takes', async () => {
        const id = await newRunId();
        const numbers = Array.from({ length: 15_000 }, (_, i) => i + 1);
        for (let part = 0; part < 3; part++)
          await store().writeLedger(
            batchOf({ events: numbers.map((iteration) => eventRow(id, { iteration })) }),
          );
        await move(id, 'over_failed');
        assert.deepEqual(await store().deleteRuns([id]), [id]);
        assert.equal((await store().eventFacts(id)).counts.length, 0);
      });
    });

    describe('events', () => {
      it('come as a window from either end, ascending', async () => {
        const id = await newRunId();
        for (let iteration = 1; iteration <= 7; iteration++)
          await store().writeLedger(batchOf({ events: [eventRow(id, { iteration })] }));
        const window = async (order: 'asc' | 'desc', limit: number, offset: number) => {
          const { total, events } = await store().eventWindow(id, { order, limit, offset });
          return [total, ...events.map(({ iteration }) => iteration)];
        };
        assert.deepEqual(await window('asc', 3, 0), [7, 1, 2, 3]);
        assert.deepEqual(await window('asc', 3, 5), [7, 6, 7]);
        assert.deepEqual(await window('desc', 3, 0), [7, 5, 6, 7]);
        assert.deepEqual(await window('desc', 3, 5), [7, 1, 2]);
        assert.deepEqual(await window('desc', 3, 9), [7]);
        const all = await store().readEvents(id, { afterId: 0, limit: 10 });
        assert.deepEqual(
          (await store().eventWindow(id, { order: 'desc', limit: 10, offset: 0 })).events,
          all,
        );
      });

      it('come to facts', async () => {
        const id = await newRunId();
        const none = { counts: [], firstAtMs: null, lastAtMs: null, maxIteration: 0, lastFailure: null };
        assert.deepEqual(await store().eventFacts(id), none);
        const at = (timestampMs: number, stepOrder: number, status: 'INFO' | 'SUCCESS' | 'FAILURE') =>
          eventRow(id, {
            timestampMs,
            stepOrder,
            status,
            iteration: stepOrder,
            details: `at ${timestampMs}`,
          });
        const rows = [
          at(10, 0, 'INFO'),
          at(20, 2, 'FAILURE'),
          at(30, 1, 'FAILURE'),
          at(5, 2, 'SUCCESS'),
          at(25, 2, 'SUCCESS'),
        ];
        for (const row of rows) await store().writeLedger(batchOf({ events: [row] }));
        const facts = await store().eventFacts(id);
        assert.deepEqual(
          facts.counts.map(({ stepOrder, status, count }) => `${stepOrder} ${status} ${count}`),
          ['0 INFO 1', '1 FAILURE 1', '2 FAILURE 1', '2 SUCCESS 2'],
        );
        assert.deepEqual([facts.firstAtMs, facts.lastAtMs, facts.maxIteration], [5, 30, 2]);
        assert.equal(facts.lastFailure?.details, 'at 30');
      });
    });

    describe('attempts', () => {
      it('of a run come as a window from either end', async () => {
        const id = await newRunId();
        await writeAttempts([1, 2, 3, 4, 5].map((durationUs) => attemptRow(id, { durationUs })));
        const window = async (order: 'asc' | 'desc', limit: number, offset: number) => {
          const { total, attempts } = await store().attemptWindow(id, { order, limit, offset });
          return [total, ...attempts.map(({ durationUs }) => durationUs)];
        };
        assert.deepEqual(await window('asc', 2, 1), [5, 2, 3]);
        assert.deepEqual(await window('desc', 2, 1), [5, 4, 3]);
        assert.deepEqual(await window('desc', 9, 4), [5, 1]);
        await writeAttempts([attemptRow(id, { durationUs: 6 })]);
        assert.deepEqual(await window('desc', 1, 0), [6, 6]);
      });

      it('are listed newest first over all runs, by what is asked for', async () => {
        const userId = await newUserId();
        const [mine, also, foreign] = [
          await newRunId({ userId }),
          await newRunId({ userId }),
          await newRunId({ userId: await newUserId() }),
        ];
        const queue = `q-${randomUUID()}`;
        const outcomes = [
          'success',
          'retried',
          'dead',
          'success',
          'cancelled',
          'success',
          'abandoned',
        ] as const;
        await writeAttempts(
          outcomes.flatMap((outcome, i) => [
            attemptRow(i % 2 ? mine : also, { outcome, queue: i < 4 ? queue : 'other', durationUs: i }),
            attemptRow(foreign, { outcome, queue, durationUs: 100 + i }),
          ]),
        );
        const listed = async (filter: Partial<AttemptFilter>): Promise<number[]> =>
          (await store().listAttempts({ limit: 50, ...filter })).map(({ durationUs }) => durationUs);
        assert.deepEqual((await listed({})).slice(0, 4), [106, 6, 105, 5]);
        assert.deepEqual(await listed({ userId }), [6, 5, 4, 3, 2, 1, 0]);
        assert.deepEqual(await listed({ runId: mine }), [5, 3, 1]);
        assert.deepEqual(await listed({ runId: mine, userId }), [5, 3, 1]);
        assert.deepEqual(await listed({ runId: foreign, userId }), []);
        assert.deepEqual(await listed({ queue, userId }), [3, 2, 1, 0]);
        assert.deepEqual(await listed({ queue, limit: 3 }), [106, 105, 104]);
        assert.deepEqual(await listed({ queue: randomUUID() }), []);
        assert.deepEqual(await listed({ userId, success: true }), [5, 3, 0]);
        assert.deepEqual(await listed({ userId, success: false }), [6, 4, 2, 1]);
        assert.deepEqual(await listed({ runId: also, success: false }), [6, 4, 2]);
        assert.deepEqual(await listed({ queue, success: false, runId: mine }), [1]);
        assert.deepEqual((await listed({ success: false })).slice(0, 3), [106, 6, 104]);
        const [, second] = await store().listAttempts({ userId, limit: 2 });
        assert.deepEqual(await listed({ userId, beforeId: second!.id, limit: 2 }), [4, 3]);
        assert.deepEqual((await listed({ beforeId: second!.id })).slice(0, 3), [104, 4, 103]);
      });

      it('of many runs are merged in their order', async () => {
        const userId = await newUserId();
        const ids: number[] = [];
        for (let i = 0; i < 25; i++) ids.push(await newRunId({ userId }));
        // Runs of which the newest comes early, runs that have one outcome alone, and one that has nothing.
        const rows = Array.from({ length: 90 }, (_, i) =>
          attemptRow(ids[(i * i) % 24]!, { durationUs: i, outcome: i % 3 ? 'success' : 'retried' }),
        );
        await writeAttempts(rows);
        const newest = rows.toReversed();
        const successes = newest.filter(({ outcome }) => outcome === 'success');
        const listed = async (filter: Partial<AttemptFilter>): Promise<number[]> =>
          (await store().listAttempts({ userId, limit: 100, ...filter })).map(({ durationUs }) => durationUs);
        for (const limit of [1, 7, 30, 100]) {
          const first = (of: readonly AttemptRow[]) => of.slice(0, limit).map(({ durationUs }) => durationUs);
          assert.deepEqual(await listed({ limit }), first(newest));
          assert.deepEqual(await listed({ limit, success: true }), first(successes));
        }
        const all = await store().listAttempts({ userId, limit: 100 });
        const older = newest.slice(41, 61).map(({ durationUs }) => durationUs);
        assert.deepEqual(await listed({ beforeId: all[40]!.id, limit: 20 }), older);
      });

      it('of a queue are found in runs whose template names it', async () => {
        const userId = await newUserId();
        const queue = `q-${randomUUID()}`;
        const named = await newRunId({ userId, template: withQueue(queue) });
        const other = await newRunId({ userId, template: withQueue('other') });
        await writeAttempts([attemptRow(named, { queue }), attemptRow(other, { queue: 'other' })]);
        const [found, ...more] = await store().listAttempts({ queue, limit: 10 });
        assert.deepEqual([found?.runId, found?.queue, more], [named, queue, []]);
      });

      it('add up by worker', async () => {
        const id = await newRunId();
        const row = (workerId: string, change: Partial<AttemptRow>) =>
          attemptRow(id, { workerId, ...change });
        await store().writeLedger(
          batchOf({
            attempts: [
              row('w1', { durationUs: 10, createdAtMs: 50 }),
              row('w1', { durationUs: 30, createdAtMs: 20, outcome: 'retried' }),
              row('w2', { durationUs: 7, createdAtMs: 9 }),
            ],
          }),
        );
        assert.deepEqual(await store().workerThroughput(id), [
          { workerId: 'w1', jobs: 2, succeeded: 1, busyUs: 40, firstAtMs: 20, lastAtMs: 50 },
          { workerId: 'w2', jobs: 1, succeeded: 1, busyUs: 7, firstAtMs: 9, lastAtMs: 9 },
        ]);
        assert.deepEqual(await store().workerThroughput(id + 1000), []);
      });

      it('that were the death of a job have the metadata of the step that opened it', async () => {
        const queue = `q-${randomUUID()}`;
        const [step] = withQueue(queue).steps;
        const steps = [
          { ...step!, metadata: { hop: 1 } },
          { ...step!, stepOrder: 2, queue: `${queue}-2`, metadata: { hop: 2 } },
          { ...step!, stepOrder: 3, metadata: { hop: 3 } },
          { ...step!, stepOrder: 4, execution: 'inline' as const, metadata: { hop: 4 } },
        ];
        const id = await newRunId({ template: { ...withQueue(queue), steps } });
        const failed = { 1: 1, 2: 4, 3: null } as const;
        for (const [iteration, failedStep] of Object.entries(failed)) {
          const dead = { queue, outcome: 'dead', patientIteration: Number(iteration) } as const;
          const end = iterationRow(id, Number(iteration), { outcome: 'failed', failedStep });
          await store().writeLedger(batchOf({ attempts: [attemptRow(id, dead)], iterations: [end] }));
        }
        const { jobs } = await store().deadJobPage(queue, { limit: 9, offset: 0 });
        assert.deepEqual(
          jobs.map(({ iteration, metadata }) => [iteration, metadata]),
          [
            [3, { hop: 3 }],
            [2, { hop: 3 }],
            [1, { hop: 1 }],
          ],
        );
      });

      it('that were the death of a job are listed by page, as long as it is dead', async () => {
        const id = await newRunId();
        const queue = `q-${randomUUID()}`;
        const dead = [1, 2, 3, 4].map((patientIteration) =>
          attemptRow(id, { queue, outcome: 'dead', errorCode: 'MLLP_TIMEOUT', patientIteration }),
        );
        await writeAttempts([...dead, attemptRow(id, { queue })]);
        const failed = { outcome: 'failed', failedStep: 3 } as const;
        await store().writeLedger(
          batchOf({ iterations: dead.map((row) => iterationRow(id, row.patientIteration, failed)) }),
        );
        const page = async (limit: number, offset: number) => {
          const { total, jobs } = await store().deadJobPage(queue, { limit, offset });
          return [total, ...jobs.map(({ iteration }) => iteration)];
        };
        assert.deepEqual(await page(3, 0), [4, 4, 3, 2]);
        assert.deepEqual(await page(3, 3), [4, 1]);
        assert.deepEqual((await store().deadJobPage(queue, { limit: 1, offset: 0 })).jobs, [
          (await store().deadJobs({ queue, limit: 1 }))[0],
        ]);
        await store().reopenJobs([{ jobId: dead[2]!.jobId, runId: id, iteration: 3 }]);
        assert.deepEqual(await page(9, 0), [3, 4, 2, 1]);
        assert.deepEqual(await store().deadJobPage(randomUUID(), { limit: 1, offset: 0 }), {
          total: 0,
          jobs: [],
        });
      });
    });

    describe('what it writes down', () => {
      it('is every decision on scaling, newest first', async () => {
        const base = 4_000_000_000_000;
        const decision = (n: number): ScalingDecision => ({
          ...{
            atMs: base + n,
            action: 'scale_up',
            actor: 'autoscaler',
            reason: n === 1 ? null : `depth ${n}`,
          },
          ...{ queueDepth: 2 ** 40 + n, currentReplicas: null, targetReplicas: n, applied: n % 2 === 0 },
          ...{ error: null, expiresAtMs: n === 3 ? base : null },
        });
        const stored = [];
        for (const n of [1, 2, 3, 4]) stored.push(await store().addDecision(decision(n)));
        assert.deepEqual(
          stored.map(({ id: _, ...given }) => given),
          [1, 2, 3, 4].map(decision),
        );
        const newest = stored.toReversed();
        const listed = (filter: object) => store().listDecisions({ limit: 9, fromMs: base, ...filter });
        assert.deepEqual(await listed({}), newest);
        assert.deepEqual(await listed({ fromMs: base + 2, toMs: base + 3 }), newest.slice(1, 3));
        assert.deepEqual(await listed({ beforeId: stored[2]!.id, limit: 1 }), [stored[1]]);
        assert.deepEqual(await store().listDecisions({ limit: 1 }), newest.slice(0, 1));
      });

      it('is what came of a decision, together with what follows from it', async () => {
        const { id, ...begun } = await store().addDecision({
          ...{ atMs: 1, action: 'manual', actor: 'anna', reason: null, queueDepth: null },
          ...{ currentReplicas: 1, targetReplicas: 2, applied: false, error: 'begun', expiresAtMs: null },
        });
        const key = randomUUID();
        const settled = (patch: Record<string, unknown>) =>
          store().settleDecision(id, { applied: true, error: null }, { key, patch });
        const kept = async () => (await store().listDecisions({ limit: 1 }))[0];
        // No JSON can say this, so the second half fails.
        await assert.rejects(settled({ replicas: 2n }));
        assert.deepEqual([await kept(), await store().getSetting(key)], [{ id, ...begun }, null]);
        await settled({ replicas: 2 });
        assert.deepEqual(await kept(), { id, ...begun, applied: true, error: null });
        assert.deepEqual(await store().getSetting(key), { replicas: 2 });
      });

      it('is every administrative act, newest first', async () => {
        const act = (atMs: number) => ({
          ...{ atMs, userId: null, username: 'root', action: 'user.delete', object: `user ${atMs}` },
          ...{ details: { b: [1], a: '\u0000' }, address: null },
        });
        for (const atMs of [1, 2, 3]) await store().addAudit(act(atMs));
        const all = await store().listAudit({ limit: 3 });
        assert.deepEqual(
          all.map(({ id: _, ...entry }) => entry),
          [3, 2, 1].map(act),
        );
        assert.deepEqual(await store().listAudit({ limit: 1, beforeId: all[0]!.id }), [all[1]]);
      });

      it('is what the listener received, to be searched and deleted', async () => {
        const mark = randomUUID().slice(0, 8);
        const message = (n: number, rawMessage: string) => ({
          ...{ receivedAtMs: n, messageType: n === 2 ? null : 'ORM^O01', controlId: `${mark}-${n}` },
          ...{ sendingApp: 'RIS', rawMessage },
        });
        const raw = ['MSH|a\rPID|100%', 'MSH|b\\_', 'MSH|\0'];
        const stored = [];
        for (const [i, text] of raw.entries())
          stored.push(await store().addListenerMessage(message(i + 1, text)));
        const found = async (search: string, limit = 10, offset = 0) => {
          const { total, items } = await store().listListenerMessages({ search, limit, offset });
          return [total, ...items.map(({ controlId }) => controlId?.slice(-1))];
        };
        assert.deepEqual(await found(mark.toUpperCase()), [3, '3', '2', '1']);
        assert.deepEqual(await found(mark, 1, 1), [3, '2']);
        assert.deepEqual((await found('0%')).slice(1), ['1']);
        assert.deepEqual((await found('B\\_')).slice(1), ['2']);
        assert.deepEqual(await found('%_%'), [0]);
        const { total, items } = await store().listListenerMessages({ limit: 1, offset: 0 });
        const { rawMessage, ...last } = stored[2]!;
        assert.ok(total >= 3);
        assert.deepEqual([items, rawMessage], [[last], 'MSH|\ufffd']);
        assert.deepEqual(await store().getListenerMessage(stored[0]!.id), stored[0]);
        assert.equal(await store().deleteListenerMessage(stored[0]!.id), true);
        assert.equal(await store().deleteListenerMessage(stored[0]!.id), false);
        assert.equal(await store().getListenerMessage(stored[0]!.id), null);
      });
    });
  });
}
