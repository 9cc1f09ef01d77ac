import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RUN_CSV_COLUMNS } from '../../src/metrics/run-row.ts';
import { WORKER_CSV_COLUMNS } from '../../src/metrics/worker-row.ts';
import { attemptRow, batchOf } from '../conformance/ledger-rows.ts';
import type { Person, TestApi } from '../support/api.ts';
import { makeTemplate } from './catalogue.ts';

/** Section 4 of the contract. */
export function metricsConform(api: () => TestApi): void {
  interface Made {
    owner: Person;
    templateId: number;
    ids: number[];
  }
  /** Three runs of one user, the last of which is over, each with two attempts. */
  const measured = async (): Promise<Made> => {
    const owner = await api().user();
    const { template } = await makeTemplate(api(), owner, {
      settings: { name: '=cmd("x"), "y"' },
      send: { execution: 'async', queue: 'q2' },
    });
    const ids: number[] = [];
    for (let n = 1; n <= 3; n++) {
      const body = { template_id: template.id, patient_count: n };
      const { run_id: id } = await api().ok('startRun', { as: owner, body });
      ids.push(id);
      const failed = { outcome: 'dead' as const, errorCode: 'MLLP_TIMEOUT', error: '+1 no, answer' };
      const attempts = [
        attemptRow(id, { queue: 'q1' }),
        attemptRow(id, { queue: 'q2', durationUs: 500, ...failed }),
      ];
      await api().store.writeLedger(batchOf({ attempts }));
      await api().store.transitionRun(id, 'start');
    }
    await api().store.transitionRun(ids[2]!, 'over_ok', { startedIterations: 3 });
    return { owner, templateId: template.id, ids };
  };
  const csv = async (path: string, as: Person): Promise<{ lines: string[]; disposition: unknown }> => {
    const reply = await api().call('GET', path, { as });
    assert.equal(reply.status, 200, reply.text);
    assert.match(String(reply.headers['content-type']), /^text\/csv/);
    const lines = reply.text.trimEnd().split('\r\n');
    return { lines, disposition: reply.headers['content-disposition'] };
  };

  describe('metrics of runs', () => {
    it('have the 41 fields in their order, and a summary over the returned rows', async () => {
      const { owner, ids } = await measured();
      const { summary, runs } = await api().ok('runsMetrics', { as: owner });
      assert.deepEqual(
        runs.map(({ run_id: id }) => id),
        ids.toReversed(),
      );
      assert.deepEqual(Object.keys(runs[0]!).slice(0, 41), RUN_CSV_COLUMNS.slice(0, 41));
      assert.deepEqual(Object.keys(summary), [
        'run_count',
        'total_patients',
        'total_worker_jobs',
        'total_worker_success',
        'total_dicom_instances',
        'total_dicom_bytes',
        'average_orders_per_second',
      ]);
      assert.equal(summary.run_count, 3);
      assert.equal(summary.total_patients, 6);
      assert.equal(summary.total_worker_jobs, 6);
      assert.equal(summary.total_worker_success, 3);
      const { summary: ofOne } = await api().ok('runsMetrics', { as: owner, query: { limit: 1 } });
      assert.deepEqual([ofOne.run_count, ofOne.total_patients, ofOne.total_worker_jobs], [1, 3, 2]);
      assert.ok(Array.isArray(runs[0]!.step_durations));
      assert.equal(runs[0]!.username, owner.username);
    });

    it('are filtered by run, template, state and time', async () => {
      const { owner, templateId, ids } = await measured();
      const found = async (query: Record<string, string | number>) =>
        (await api().ok('runsMetrics', { as: owner, query })).runs.map(({ run_id: id }) => id);
      assert.deepEqual(await found({ run_id: ids[1]! }), [ids[1]]);
      assert.deepEqual(await found({ run_id: 999_999 }), []);
      assert.deepEqual(await found({ run_id: ids[1]!, status: 'COMPLETED' }), []);
      for (const [runId, rows] of [
        [ids[1], 1],
        [999_999, 0],
      ])
        assert.equal((await csv(`/metrics/runs?format=csv&run_id=${runId}`, owner)).lines.length, 1 + rows!);
      const stranger = await api().user();
      const foreign = await api().ok('runsMetrics', { as: stranger, query: { run_id: ids[1]! } });
      assert.deepEqual(foreign.runs, []);
      assert.equal((await found({ template_id: templateId })).length, 3);
      assert.deepEqual(await found({ template_id: 999_999 }), []);
      assert.deepEqual(await found({ status: 'COMPLETED' }), [ids[2]]);
      assert.deepEqual(await found({ limit: 1 }), [ids[2]]);
      assert.deepEqual(await found({ start_at: '2999-01-01T00:00:00Z' }), []);
      assert.equal((await found({ start_at: '2020-01-01' })).length, 3);
      assert.deepEqual(await found({ end_at: '2999-01-01T00:00:00+02:00' }), [ids[2]]);
      for (const query of [
        'status=DONE',
        'limit=0',
        'limit=1001',
        'start_at=yesterday',
        'format=xml',
        'template_id=x',
        'run_id=x',
      ])
        assert.equal(
          (await api().call('GET', `/api/metrics/runs?${query}`, { as: owner })).status,
          422,
          query,
        );
    });

    it('are one’s own, and all for administrators, with and without /api', async () => {
      const { ids } = await measured();
      const stranger = await api().user();
      for (const path of ['/api/metrics/runs', '/metrics/runs']) {
        const own = await api().call('GET', path, { as: stranger });
        assert.deepEqual((own.body as { runs: unknown[] }).runs, []);
        const all = await api().call('GET', path, { as: api().admin });
        const seen = (all.body as { runs: { run_id: number }[] }).runs.map(({ run_id: id }) => id);
        for (const id of ids) assert.ok(seen.includes(id));
      }
    });

    it('as CSV are a file with a header, blanks for null and nothing that a spreadsheet would run', async () => {
      const { owner } = await measured();
      const { lines, disposition } = await csv('/api/metrics/runs?format=csv', owner);
      assert.equal(disposition, 'attachment; filename="run-metrics.csv"');
      assert.equal(lines[0], RUN_CSV_COLUMNS.join(','));
      assert.equal(lines.length, 4);
      assert.ok(lines[1]!.includes(`"'=cmd(""x""), ""y"""`));
      assert.match(lines[2]!, /,RUNNING,[^,]+,,2,/);
      assert.equal((await csv('/metrics/runs?format=csv&limit=2', owner)).lines.length, 3);
    });

    it('as CSV without a limit are all rows', async () => {
      const { owner, templateId } = await measured();
      for (let n = 0; n < 120; n++)
        await api().ok('startRun', { as: owner, body: { template_id: templateId } });
      const { lines } = await csv('/api/metrics/runs?format=csv', owner);
      assert.equal(lines.length, 1 + 123);
      assert.equal(new Set(lines.map((line) => line.split(',')[0])).size, 124);
      assert.equal((await api().ok('runsMetrics', { as: owner })).runs.length, 100);
    });
  });

  describe('metrics of workers', () => {
    it('have the 13 fields in their order, newest first, and a summary', async () => {
      const { owner } = await measured();
      const { summary, metrics } = await api().ok('workersMetrics', { as: owner });
      assert.deepEqual(Object.keys(metrics[0]!).slice(0, 13), WORKER_CSV_COLUMNS.slice(0, 13));
      const ids = metrics.map(({ id }) => id);
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => b - a),
      );
      const { summary: ofOne } = await api().ok('workersMetrics', { as: owner, query: { limit: 1 } });
      assert.deepEqual([ofOne.job_count, ofOne.failure_count], [1, 1]);
      assert.deepEqual(summary, { job_count: 6, success_count: 3, failure_count: 3, average_duration_ms: 1 });
    });

    it('are filtered by run, queue and success', async () => {
      const { owner, ids } = await measured();
      const found = async (query: Record<string, string | number | boolean>) =>
        (await api().ok('workersMetrics', { as: owner, query })).metrics.length;
      assert.equal(await found({ run_id: ids[0]! }), 2);
      assert.equal(await found({ run_id: ids[0]!, success: true }), 1);
      assert.equal(await found({ run_id: 999_999 }), 0);
      assert.equal(await found({ queue: 'q2' }), 3);
      assert.equal(await found({ queue: 'q2', success: 'true' }), 0);
      assert.equal(await found({ success: 0 }), 3);
      assert.equal(await found({ limit: 4 }), 4);
      const stranger = await api().user();
      const foreign = await api().ok('workersMetrics', { as: stranger, query: { run_id: ids[0]! } });
      assert.deepEqual(foreign.metrics, []);
      for (const query of ['success=maybe', 'limit=2001', 'run_id=x'])
        assert.equal(
          (await api().call('GET', `/api/metrics/workers?${query}`, { as: owner })).status,
          422,
          query,
        );
    });

    it('as CSV have all rows without a limit', async () => {
      const { owner, ids } = await measured();
      const attempts = Array.from({ length: 2500 }, () => attemptRow(ids[0]!));
      await api().store.writeLedger(batchOf({ attempts }));
      const { lines, disposition } = await csv('/api/metrics/workers?format=csv', owner);
      assert.equal(disposition, 'attachment; filename="worker-metrics.csv"');
      assert.equal(lines[0], WORKER_CSV_COLUMNS.join(','));
      assert.equal(lines.length, 1 + 2506);
      assert.ok(lines.some((line) => line.includes(`"'+1 no, answer"`)));
      assert.equal((await csv('/metrics/workers?format=csv&success=false', owner)).lines.length, 4);
      const ofOne = (runId: number) => csv(`/api/metrics/workers?format=csv&run_id=${runId}`, owner);
      assert.equal((await ofOne(ids[1]!)).lines.length, 1 + 2);
      assert.equal((await ofOne(999_999)).lines.length, 1);
    });
  });
}
