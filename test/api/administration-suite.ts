import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { YeeterError } from '../../src/lib/errors.ts';
import { attemptRow, batchOf, newRun } from '../conformance/ledger-rows.ts';
import { ask, type TestApi } from '../support/api.ts';
import { stubScaling } from '../support/stub-scaling.ts';
import { testStep, testTemplate } from '../support/template.ts';

/** Section 5 of the contract; users have their place beside accounts. */
export function administrationConforms(api: () => TestApi): void {
  const autoscaler = '/api/admin/worker/autoscaler';
  const admin = () => ({ as: api().admin });

  describe('the autoscaler', () => {
    it('shows its configuration and status', async () => {
      const { config, status } = await api().ok('getAutoscaler');
      assert.deepEqual(Object.keys(config).slice(0, 11), [
        'enabled',
        'min_replicas',
        'max_replicas',
        'scale_up_threshold',
        'scale_up_step',
        'scale_down_threshold',
        'scale_down_step',
        'scale_down_cooldown_seconds',
        'poll_interval_seconds',
        'management_port',
        'queue_name',
      ]);
      assert.deepEqual(Object.keys(status), [
        'current_replicas',
        'target_replicas',
        'queue_depth',
        'last_queue_check_at',
        'last_scale_at',
        'last_scale_action',
        'last_error',
        'kubernetes_connected',
        'manual_override_active',
        'manual_override_replicas',
        'manual_override_at',
      ]);
    });

    it('takes changes in part, and junk changes nothing', async () => {
      const changed = await api().ok('updateAutoscaler', { body: { max_replicas: '5', enabled: true } });
      assert.equal(changed.config.max_replicas, 5);
      assert.equal(changed.config.min_replicas, 1);
      const junk = [
        { max_replicas: 'many' },
        { max_replicas: -1 },
        { min_replicas: 1.5 },
        { enabled: 'yes' },
        { poll_interval_seconds: [] },
        { min_replicas: 9, enabled: false },
        { queue_name: '' },
      ];
      for (const body of junk)
        assert.equal(
          (await api().call('PUT', autoscaler, { ...admin(), body })).status,
          422,
          JSON.stringify(body),
        );
      assert.deepEqual((await api().ok('getAutoscaler')).config, changed.config);
      await api().ok('updateAutoscaler', { body: { max_replicas: 3, enabled: false } });
    });

    it('is overridden by hand until the override is cleared; a bad number is 400', async () => {
      const scale = (body: unknown) => api().call('POST', `${autoscaler}/scale`, { ...admin(), body });
      for (const body of [
        {},
        { replicas: 'x' },
        { replicas: 1.5 },
        { replicas: -1 },
        { replicas: 4 },
        { replicas: null },
      ]) {
        const { status, body: refusal } = await scale(body);
        assert.equal(status, 400, JSON.stringify(body));
        assert.equal(typeof refusal.error, 'string');
      }
      const { body } = await scale({ replicas: 2 });
      const { status } = body as { status: Record<string, unknown> };
      assert.equal(status.manual_override_active, true);
      assert.equal(status.manual_override_replicas, 2);
      const cleared = await api().ok('clearOverride');
      assert.equal(cleared.status.manual_override_active, false);
    });
  });

  describe('workers', () => {
    it('are scaled with a reason and for a while; a dry run only says what would happen', async () => {
      const dry = await api().ok('scaleWorkers', { body: { replicas: 3, dry_run: true } });
      assert.equal(dry.decision.applied, false);
      assert.equal(dry.status.manual_override_active, false);
      const wet = await api().ok('scaleWorkers', {
        body: { replicas: 2, reason: 'big run', ttl_seconds: 60 },
      });
      assert.equal(wet.decision.applied, true);
      assert.equal(wet.decision.actor, api().admin.username);
      assert.equal(wet.decision.reason, 'big run');
      assert.ok(wet.decision.expires_at !== null);
      await api().ok('clearOverride');
    });

    it('are not scaled by a bad value, by anybody else, or where no target answers', async () => {
      const path = '/api/admin/workers/scale';
      for (const body of [{}, { replicas: 'x' }, { replicas: 4 }, { replicas: 1, ttl_seconds: 0 }])
        assert.equal((await api().call('POST', path, { ...admin(), body })).status, 422);
      const user = await api().user();
      const foreign = await api().call('POST', path, { as: user, body: { replicas: 1 } });
      assert.equal(foreign.status, 403);
      assert.equal(foreign.body.error, 'Admins only.');
      const scaling = stubScaling(systemClock);
      scaling.scale = () =>
        Promise.reject(new YeeterError('SCALING_UNAVAILABLE', 'kubernetes: no route to host'));
      const deaf = await api().another({ deps: { scaling } });
      const { status, body } = await ask(deaf, 'POST', path, { ...admin(), body: { replicas: 1 } });
      assert.equal(status, 503);
      assert.match(String(body.error), /no route to host/);
    });

    it('are listed by their heartbeat', async () => {
      const beat = {
        host: 'h',
        pid: 1,
        version: '1',
        queues: ['q'],
        concurrency: 8,
        busy: 2,
        jobs: 9,
        held: {},
      };
      const startedAtMs = Date.now();
      await api().store.heartbeat({ workerId: 'w-live', state: 'working', startedAtMs, ...beat });
      await api().store.heartbeat({ workerId: 'w-gone', state: 'stopped', startedAtMs, ...beat });
      const workers = await api().ok('listWorkers');
      assert.deepEqual(
        workers.map(({ worker_id: id }) => id),
        ['w-live'],
      );
      assert.equal(workers[0]!.busy, 2);
    });

    it('decisions about them are listed and downloaded', async () => {
      const decision = {
        action: 'manual',
        actor: '=SUM(A1)',
        reason: null,
        queueDepth: 3,
        currentReplicas: 1,
        targetReplicas: 2,
        applied: true,
        error: null,
        expiresAtMs: null,
      };
      for (const day of [1, 2, 3])
        await api().store.addDecision({ atMs: Date.UTC(2026, 0, day), ...decision });
      const all = await api().ok('listDecisions');
      assert.deepEqual(
        all.map(({ at }) => at.slice(0, 10)),
        ['2026-01-03', '2026-01-02', '2026-01-01'],
      );
      const some = await api().ok('listDecisions', {
        query: { from: '2026-01-02', to: '2026-01-02T12:00:00Z' },
      });
      assert.equal(some.length, 1);
      const { text, headers } = await api().call('GET', '/api/admin/scaling/decisions?format=csv', admin());
      assert.equal(headers['content-disposition'], 'attachment; filename="scaling-decisions.csv"');
      const lines = text.trimEnd().split('\r\n');
      assert.equal(lines.length, 4);
      assert.ok(lines[1]!.includes("'=SUM(A1)"));
    });
  });

  describe('queues', () => {
    const path = '/api/admin/queues/yeeter.simulation.orders';

    it('show what waits in them', async () => {
      const [queue] = await api().ok('listQueues');
      assert.deepEqual(queue, {
        name: 'yeeter.simulation.orders',
        mode: 'open',
        ready: 3,
        unacknowledged: 2,
        delayed: 1,
        dead_letters: 4,
        consumers: 5,
        published_per_second: 1.5,
        acknowledged_per_second: null,
      });
    });

    it('have their dead letters listed, requeued and purged with the count to confirm', async () => {
      const dead = await api().ok('listDeadLetters', { params: { name: 'yeeter.simulation.orders' } });
      assert.deepEqual(dead, { items: [], total: 0, limit: 100, offset: 0 });
      const wait = testStep('WAIT', { durationSeconds: 0 });
      const step = { ...wait, execution: 'async', queue: 'lost', metadata: { priority: 'high' } } as const;
      const { id } = await api().store.createRun(newRun({ template: testTemplate([step]) }));
      const lost = attemptRow(id, { queue: 'lost', outcome: 'dead' });
      await api().store.writeLedger(batchOf({ attempts: [lost] }));
      const { items } = await api().ok('listDeadLetters', { params: { name: 'lost' } });
      assert.deepEqual(
        items.map(({ job_id, metadata }) => [job_id, metadata]),
        [[lost.jobId, { priority: 'high' }]],
      );
      const { asked } = api().queues;
      asked.length = 0;
      const requeued = await api().ok('requeueDeadLetters', { params: { name: 'q' } });
      assert.deepEqual(requeued, {
        message: '1 job of q will be tried again',
        requeued: 1,
        job_ids: ['job-1'],
        run_ids: [1],
        bench_sinks: [{ run_id: 1, mllp_port: 2575, dicom_port: null }],
      });
      await api().ok('requeueDeadLetters', { params: { name: 'q' }, body: { job_ids: ['a', 'b'] } });
      await api().ok('requeueDeadLetters', { params: { name: 'q' }, body: { job_id: 'c' } });
      assert.deepEqual(asked, [
        ['requeue', 'q', 'all'],
        ['requeue', 'q', ['a', 'b']],
        ['requeue', 'q', ['c']],
      ]);
      assert.equal((await api().call('DELETE', `${path}/dead-letters`, admin())).status, 422);
      const wrong = await api().call('DELETE', `${path}/dead-letters?count=3`, admin());
      assert.equal(wrong.status, 409);
      assert.equal(wrong.body.code, 'QUEUE_COUNT_CHANGED');
      assert.equal((await api().call('DELETE', `${path}/dead-letters?count=4`, admin())).body.purged, 4);
      const body = { count: 4 };
      assert.equal((await api().call('DELETE', `${path}/dead-letters`, { ...admin(), body })).body.purged, 4);
      assert.equal((await api().call('DELETE', `${path}/jobs?count=3`, admin())).body.purged, 3);
    });

    it('have listed what was set aside among the dead letters', async () => {
      assert.deepEqual(await api().ok('listSetAside', { params: { name: 'q' }, query: { limit: 5 } }), {
        items: [
          { message_id: 'm-1', reason: 'it is not JSON', set_aside_at: '2026-09-21T14:13:20.000Z', bytes: 8 },
          { message_id: null, reason: 'it is not JSON', set_aside_at: null, bytes: 9 },
        ],
        limit: 5,
      });
      assert.deepEqual(api().queues.asked.at(-1), ['set aside', 'q', 5]);
    });

    it('that are not there are 404', async () => {
      const unknown = () => Promise.reject(new YeeterError('NOT_FOUND', 'there is no queue "q"'));
      const other = await api().another({ deps: { queues: { ...api().queues, setMode: unknown } } });
      const { status } = await ask(other, 'POST', '/api/admin/queues/q/pause', admin());
      assert.equal(status, 404);
    });

    it('are paused, drained and resumed', async () => {
      const { asked } = api().queues;
      asked.length = 0;
      assert.equal((await api().call('POST', `${path}/pause`, admin())).body.mode, 'paused');
      assert.equal((await api().call('POST', `${path}/drain`, admin())).body.mode, 'draining');
      assert.equal((await api().call('POST', `${path}/resume`, admin())).body.mode, 'open');
      assert.deepEqual(
        asked.map(([, , mode]) => mode),
        ['paused', 'draining', 'open'],
      );
    });

    it('that cannot be reached are 503', async () => {
      const unreachable = () =>
        Promise.reject(new YeeterError('QUEUE_UNREACHABLE', 'amqp://u:secret@host: refused'));
      const deaf = await api().another({ deps: { queues: { ...api().queues, list: unreachable } } });
      const { status, text } = await ask(deaf, 'GET', '/api/admin/queues', admin());
      assert.equal(status, 503);
      assert.doesNotMatch(text, /secret/);
    });
  });

  describe('administrative acts', () => {
    it('are written down with who, what and from where', async () => {
      await api().ok('pauseQueue', { params: { name: 'audited' } });
      const [last] = await api().ok('listAudit', { query: { limit: 1 } });
      const { id: _, at: __, ...act } = last!;
      assert.deepEqual(act, {
        user_id: api().admin.id,
        username: 'admin',
        action: 'queue.pause',
        object: 'queue audited',
        details: {},
        address: '127.0.0.1',
      });
      await api().ok('drainQueue', { params: { name: 'audited' } });
      const [drained] = await api().ok('listAudit', { query: { limit: 1 } });
      assert.deepEqual([drained!.action, drained!.object], ['queue.drain', 'queue audited']);
      const before = await api().ok('listAudit', { query: { limit: 5, before_id: last!.id } });
      assert.ok(before.every(({ id }) => id < last!.id));
    });
  });
}
