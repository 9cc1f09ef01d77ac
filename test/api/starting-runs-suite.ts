import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LiveFact } from '../../src/live/port.ts';
import type { TestApi } from '../support/api.ts';
import { makeTemplate, startRun } from './catalogue.ts';

/** Starting a run: section 3 of the contract. */
export function startingRunsConforms(api: () => TestApi): void {
  describe('starting a run', () => {
    it('answers 202 and lets a runner know; without load the patients come one after the other', async () => {
      const owner = await api().user();
      const { template } = await makeTemplate(api(), owner);
      const facts: LiveFact[] = [];
      const stop = api().live.subscribe((fact) => facts.push(fact));
      const reply = await api().call('POST', '/api/simulator/run', {
        as: owner,
        body: { template_id: String(template.id), patient_count: '3' },
      });
      stop();
      assert.equal(reply.status, 202);
      assert.deepEqual(Object.keys(reply.body), ['message', 'run_id']);
      const run = await api().store.getRun(Number(reply.body.run_id));
      assert.deepEqual(facts, [{ kind: 'run_created', runId: run.id }]);
      assert.equal(run.status, 'PENDING');
      assert.equal(run.userId, owner.id);
      assert.equal(run.templateId, template.id);
      assert.equal(run.patientCount, 3);
      assert.equal(run.concurrency, 1);
      assert.equal(run.onFailure, 'fail_run');
      assert.deepEqual(Object.keys(run.endpoints), ['ris']);
      assert.equal(run.limits.ris?.maxPerSecond, null);
    });

    it('takes a load, a seed, what a failure does, and tags', async () => {
      const body = {
        patient_count: 5,
        seed: 7,
        load: { concurrency: 9 },
        on_failure: 'continue',
        tags: ['a', 'b'],
      };
      const run = await api().store.getRun(await startRun(api(), api().admin, body));
      assert.equal(run.identity.seed, 7);
      assert.equal(run.identity.namespace, 0);
      assert.equal(run.concurrency, 9);
      assert.equal(run.limits.ris?.maxConnections, 9);
      assert.equal(run.onFailure, 'continue');
      assert.deepEqual(run.tags, ['a', 'b']);
    });

    it('takes what a failure does from the template where the request is silent', async () => {
      const { template } = await makeTemplate(api(), api().admin, { settings: { on_failure: 'continue' } });
      const { run_id: id } = await api().ok('startRun', { body: { template_id: template.id } });
      assert.equal((await api().store.getRun(id)).onFailure, 'continue');
    });

    it('without a seed has identifiers of its own', async () => {
      const ids = [await startRun(api(), api().admin), await startRun(api(), api().admin)];
      const [one, two] = await Promise.all(ids.map((id) => api().store.getRun(id)));
      assert.equal(one!.identity.seed, two!.identity.seed);
      assert.notEqual(one!.identity.namespace, two!.identity.namespace);
    });

    it('has a fixed clock against the sinks of the server, and today elsewhere', async () => {
      const { template } = await makeTemplate(api(), api().admin);
      const today = await api().ok('startRun', { body: { template_id: template.id } });
      const { clockStartMs } = (await api().store.getRun(today.run_id)).identity;
      assert.ok(Date.now() - clockStartMs < 2 * 86_400_000);
      const sinks = await api().another({ deps: { isBuiltInSink: ({ port }) => port === 2575 } });
      const reply = await sinks.app.inject({
        method: 'POST',
        url: '/api/simulator/run',
        headers: { authorization: `Bearer ${api().admin.token}` },
        payload: { template_id: template.id },
      });
      const run = await api().store.getRun(reply.json().run_id);
      assert.equal(run.identity.clockStartMs, Date.UTC(2026, 0, 5, 7));
    });

    it('by the route of benchmark scripts says where its status is', async () => {
      const { template } = await makeTemplate(api(), api().admin);
      const body = await api().ok('startRunOfTemplate', { params: { template_id: template.id } });
      assert.deepEqual(Object.keys(body), [
        'message',
        'run_id',
        'template_id',
        'patient_count',
        'status_url',
      ]);
      assert.equal(body.patient_count, 1);
      assert.equal((await api().call('GET', body.status_url, { as: api().admin })).status, 200);
    });

    it('needs a template of one’s own and sensible numbers', async () => {
      const stranger = await api().user();
      const { template } = await makeTemplate(api(), api().admin);
      const asked = (body: unknown, as = api().admin) =>
        api().call('POST', '/api/simulator/run', { as, body });
      assert.equal((await asked({ template_id: template.id }, stranger)).status, 404);
      assert.equal((await asked({ template_id: 999_999 })).status, 404);
      const wrong = [
        {},
        { patient_count: 0 },
        { patient_count: '-1' },
        { load: { concurrency: 0 } },
        { seed: -1 },
        { on_failure: 'maybe' },
        { tags: 'a' },
      ];
      for (const change of wrong) {
        const body = Object.keys(change).length === 0 ? {} : { template_id: template.id, ...change };
        assert.equal((await asked(body)).status, 422, JSON.stringify(change));
      }
    });

    it('against what is neither this machine nor registered is refused', async () => {
      const { template } = await makeTemplate(api(), api().admin, { hostname: 'pacs.hospital.example' });
      const body = { template_id: template.id };
      const refusal = await api().call('POST', '/api/simulator/run', { as: api().admin, body });
      assert.equal(refusal.status, 403);
      assert.equal(refusal.body.code, 'TARGET_REFUSED');
      await api().store.registerTarget({
        host: 'pacs.hospital.example',
        port: 2575,
        aeTitle: null,
        owner: 'QA',
        expiresAtMs: Date.now() + 3_600_000,
        maxAssociations: 2,
        maxMessagesPerSecond: 10,
        maxBytes: null,
      });
      const { run_id: id } = await api().ok('startRun', { body: { ...body, load: { concurrency: 8 } } });
      const { limits } = await api().store.getRun(id);
      const registered = { maxConnections: 2, maxPerSecond: 10, maxBytes: null, ramp: true, shared: true };
      assert.deepEqual(limits.ris, registered);
    });

    it('whose generator was deleted since is told so', async () => {
      const { template, generatorId } = await makeTemplate(api(), api().admin);
      await api().call('DELETE', `/api/simulator/generators/${generatorId}`, { as: api().admin });
      const { status: code, text } = await api().call('POST', '/api/simulator/run', {
        as: api().admin,
        body: { template_id: template.id },
      });
      assert.equal(code, 422);
      assert.match(text, /step 1.*no generator has the number/);
    });
  });
}
