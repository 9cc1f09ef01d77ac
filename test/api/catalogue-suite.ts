import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestApi } from '../support/api.ts';
import { generatorBody, makeTemplate, ORDER } from './catalogue.ts';

interface Fault {
  loc: (string | number)[];
  msg: string;
}

/** Generators, endpoints and templates: sections 3 and 6 of the contract. */
export function catalogueConforms(api: () => TestApi): void {
  const refused = async (path: string, body: unknown, method: 'POST' | 'PUT' = 'POST'): Promise<Fault[]> => {
    const reply = await api().call(method, path, { as: api().admin, body });
    assert.equal(reply.status, 422, reply.text);
    return reply.body.error as Fault[];
  };

  describe('generators', () => {
    it('are kept, listed by name, changed in part and deleted', async () => {
      const made = await api().ok('createGenerator', { body: generatorBody({ name: 'zz b' }) });
      assert.deepEqual(Object.keys(made), ['id', 'user_id', 'name', 'message_type', 'content', 'created_at']);
      assert.equal(made.content, ORDER);
      await api().ok('createGenerator', { body: generatorBody({ name: 'zz A' }) });
      const names = (await api().ok('listGenerators'))
        .map(({ name }) => name)
        .filter((n) => n.startsWith('zz'));
      assert.deepEqual(names, ['zz A', 'zz b']);
      const changed = await api().ok('updateGenerator', { params: { id: made.id }, body: { name: 'zz c' } });
      assert.deepEqual(changed, { ...made, name: 'zz c' });
      const path = `/api/simulator/generators/${made.id}`;
      assert.equal((await api().call('DELETE', path, { as: api().admin })).status, 204);
      assert.equal((await api().call('DELETE', path, { as: api().admin })).status, 404);
    });

    it('with an unknown cue are a 422 that names the cue and its line', async () => {
      const content = `${ORDER}NTE|1||{$Faker.Nobody.Knows}\rNTE|2||{$Faker.__import__('os')}\r`;
      const faults = await refused('/api/simulator/generators', generatorBody({ content }));
      assert.equal(faults.length, 2);
      assert.match(faults[0]!.msg, /line 4.*Nobody\.Knows/);
      const { id } = await api().ok('createGenerator', { body: generatorBody() });
      await refused(`/api/simulator/generators/${id}`, { content }, 'PUT');
    });

    it('have bounds', async () => {
      await refused('/api/simulator/generators', generatorBody({ name: 'x'.repeat(101) }));
      await refused('/api/simulator/generators', generatorBody({ message_type: 'x'.repeat(51) }));
      await refused('/api/simulator/generators', generatorBody({ content: '' }));
    });
  });

  describe('endpoints', () => {
    const dicom = {
      name: 'pacs',
      endpoint_type: 'DICOM_SCP',
      hostname: '127.0.0.1',
      port: 11112,
      ae_title: 'PACS',
      aet_title: '',
    };

    it('are kept, listed by name, changed in part and deleted; "" is an absent AE title', async () => {
      const made = await api().ok('createEndpoint', { body: dicom });
      assert.deepEqual(made, { ...dicom, id: made.id, user_id: api().admin.id, aet_title: null });
      assert.deepEqual(await api().ok('getEndpoint', { params: { id: made.id } }), made);
      const changed = await api().ok('updateEndpoint', { params: { id: made.id }, body: { port: 104 } });
      assert.deepEqual(changed, { ...made, port: 104 });
      const names = (await api().ok('listEndpoints')).map(({ name }) => name.toLowerCase());
      assert.deepEqual(names, names.toSorted());
      const older = await api().call('GET', `/api/simulator/endpoints/${made.id}`, { as: api().admin });
      assert.equal(older.status, 200);
      assert.equal(
        (await api().call('DELETE', `/api/endpoints/${made.id}`, { as: api().admin })).status,
        204,
      );
    });

    it('have AE titles of at most 16 characters where they speak DICOM, and one to be called by', async () => {
      const [long] = await refused('/api/endpoints', { ...dicom, ae_title: 'X'.repeat(17) });
      assert.deepEqual(long!.loc, ['ae_title']);
      const [absent] = await refused('/api/endpoints', { ...dicom, ae_title: '' });
      assert.deepEqual(absent!.loc, ['ae_title']);
      const made = await api().ok('createEndpoint', { body: dicom });
      await refused(`/api/endpoints/${made.id}`, { ae_title: null }, 'PUT');
      await refused('/api/endpoints', { ...dicom, hostname: 'http://host/path' });
      await refused('/api/endpoints', { ...dicom, endpoint_type: 'FTP', port: 0 });
    });
  });

  describe('templates', () => {
    it('come back as they were sent, with what a step is by default', async () => {
      const owner = await api().user();
      const { template, generatorId, endpointId } = await makeTemplate(api(), owner);
      assert.deepEqual(Object.keys(template).slice(0, 6), [
        'id',
        'user_id',
        'name',
        'description',
        'created_at',
        'steps',
      ]);
      const [generate, send] = template.steps;
      assert.deepEqual(generate!.parameters, { generator_template_id: generatorId });
      assert.deepEqual(send!.parameters, { endpoint_id: endpointId });
      const { id: _, ...head } = send!;
      assert.deepEqual(head, {
        step_order: 2,
        step_type: 'SEND_MLLP',
        parameters: { endpoint_id: endpointId },
        execution: 'inline',
        queue: null,
        job_type: null,
        retry: null,
        metadata: {},
      });
      assert.deepEqual(await api().ok('getTemplate', { as: owner, params: { id: template.id } }), template);
      assert.deepEqual(await api().ok('listTemplates', { as: owner }), [template]);
    });

    it('keep the queue metadata of a step', async () => {
      const step = {
        execution: 'async',
        queue: 'orders.fast',
        job_type: 'send',
        retry: { max_attempts: 5, delay_ms: 0, backoff: 'exponential', max_delay_ms: 1000 },
        metadata: { priority: 'high', nested: { a: [1, null] } },
      };
      const { template } = await makeTemplate(api(), api().admin, { send: step });
      const { execution, queue, job_type, retry, metadata } = template.steps[1]!;
      assert.deepEqual({ execution, queue, job_type, retry, metadata }, step);
    });

    it('take the older spelling of a hand-off, which comes back unchanged and survives a round trip', async () => {
      const older = {
        queue_async: true,
        queue_name: 'orders.older',
        queue_metadata: { z: 1, a: 2 },
        queue_retry_limit: '3',
        retry_delay_ms: 0,
        max_attempts: 7,
        something_else: [1, 'x'],
      };
      const { template } = await makeTemplate(api(), api().admin, { generateParameters: older });
      const { generator_template_id: _, ...back } = template.steps[0]!.parameters;
      assert.equal(JSON.stringify(back), JSON.stringify(older));
      const again = await api().ok('updateTemplate', { params: { id: template.id }, body: template });
      assert.deepEqual(
        again.steps.map(({ id: _id, ...step }) => step),
        template.steps.map(({ id: _id, ...step }) => step),
      );
      const { run_id: id } = await api().ok('startRun', { body: { template_id: template.id } });
      const [, send] = (await api().store.getRun(id)).template.steps;
      assert.equal(send!.execution, 'async');
      assert.equal(send!.queue, 'orders.older');
      assert.equal(send!.retry?.maxAttempts, 3);
      assert.equal(send!.retry?.delayMs, 0);
    });

    it('are changed in part; steps are replaced as a whole', async () => {
      const { template, generatorId } = await makeTemplate(api(), api().admin);
      const renamed = await api().ok('updateTemplate', {
        params: { id: template.id },
        body: { name: 'renamed' },
      });
      assert.deepEqual(renamed, { ...template, name: 'renamed' });
      const steps = [{ step_type: 'GENERATE_HL7', parameters: { generator_template_id: generatorId } }];
      const shorter = await api().ok('updateTemplate', { params: { id: template.id }, body: { steps } });
      assert.equal(shorter.steps.length, 1);
      assert.equal(shorter.steps[0]!.step_order, 1);
    });

    it('are told all their faults at once, each with its step and field', async () => {
      const faults = await refused('/api/simulator/templates', {
        name: 'faulty',
        steps: [
          { step_type: 'GENERATE_HL7', step_order: 1, parameters: { generator_template_id: 987654 } },
          { step_type: 'SEND_MLLP', step_order: 2, parameters: { endpoint_id: '987655' } },
          { step_type: 'WAIT', step_order: 2, parameters: { duration_seconds: -1 } },
          { step_type: 'MPPS_UPDAT', step_order: 4, parameters: {} },
          {
            step_type: 'GENERATE_DICOM',
            step_order: 5,
            parameters: { count: 'many' },
            retry: { max_attempts: 0 },
          },
        ],
      });
      const at = (...loc: (string | number)[]) =>
        faults.find((fault) => JSON.stringify(fault.loc) === JSON.stringify(loc))?.msg ?? '';
      assert.match(at('steps', 0, 'parameters', 'generator_template_id'), /step 1.*987654/);
      assert.match(at('steps', 1, 'parameters', 'endpoint_id'), /step 2.*987655/);
      assert.match(at('steps', 2, 'parameters', 'duration_seconds'), /step 3/);
      assert.match(at('steps', 2, 'step_order'), /two steps/);
      assert.match(at('steps', 3, 'step_type'), /unknown step type "MPPS_UPDAT".*mean "MPPS_UPDATE"/);
      assert.match(at('steps', 4, 'parameters', 'count'), /step 5/);
      assert.match(at('steps', 4, 'retry', 'max_attempts'), /step 5/);
    });

    it('are told no more faults than there are', async () => {
      const { generatorId, endpointId } = await makeTemplate(api(), api().admin);
      const send = { step_type: 'SEND_MLLP', parameters: { endpoint_id: endpointId } };
      const order = { step_type: 'GENERATE_HL7', parameters: { generator_template_id: generatorId } };
      const one = async (steps: object[], loc: string, msg: RegExp): Promise<void> => {
        const faults = await refused('/api/simulator/templates', { name: 'faulty', steps });
        assert.deepEqual(
          faults.map((fault) => fault.loc.join('.')),
          [loc],
        );
        assert.match(faults[0]!.msg, msg);
      };
      await one([{ step_type: 'GENERATE_HL8' }, send], 'steps.0.step_type', /unknown step type/);
      const missing = 'steps.0.parameters.generator_template_id';
      await one([{ step_type: 'GENERATE_HL7' }, send], missing, /is missing/);
      await one([{ ...order, execution: 'asink' }, send], 'steps.0.execution', /must be one of/);
      await one([{ ...order, step_order: 1 }, send], 'steps.1.step_order', /is missing: give it to all/);
    });

    it('need steps, an endpoint of the type of the step, and something to send', async () => {
      await refused('/api/simulator/templates', { name: 'none', steps: [] });
      await refused('/api/simulator/templates', { name: 'none' });
      const { endpointId } = await makeTemplate(api(), api().admin);
      const steps = [{ step_type: 'SEND_DICOM', parameters: { endpoint_id: endpointId } }];
      const faults = await refused('/api/simulator/templates', { name: 'wrong', steps });
      assert.ok(faults.some(({ msg }) => /needs an endpoint of type DICOM_SCP/.test(msg)));
      assert.ok(faults.some(({ msg }) => /nothing to send/.test(msg)));
    });

    it('ask worklists and report performed steps, at endpoints by their numbers', async () => {
      const { template, generatorId } = await makeTemplate(api(), api().admin);
      const ris = await api().ok('createEndpoint', {
        body: {
          name: 'ris',
          endpoint_type: 'DICOM_SCP',
          hostname: '127.0.0.1',
          port: 11112,
          ae_title: 'RIS',
        },
      });
      const at = { endpoint_id: ris.id };
      const steps = [
        { step_type: 'GENERATE_HL7', parameters: { generator_template_id: generatorId } },
        { step_type: 'DMWL_FIND', parameters: at },
        { step_type: 'MPPS_UPDATE', parameters: { ...at, mpps_status: 'IN PROGRESS' } },
        { step_type: 'MPPS_UPDATE', parameters: { ...at, mpps_status: 'DISCONTINUED' } },
      ];
      await api().ok('updateTemplate', { params: { id: template.id }, body: { steps } });
      const { run_id: id } = await api().ok('startRun', { body: { template_id: template.id } });
      const run = await api().store.getRun(id);
      assert.deepEqual(
        Object.values(run.endpoints).map(({ aeTitle }) => aeTitle),
        ['RIS'],
      );
    });

    it('may refer to two endpoints that share a name', async () => {
      const { template, endpointId, generatorId } = await makeTemplate(api(), api().admin);
      const [first] = (await api().ok('listEndpoints')).filter(({ id }) => id === endpointId);
      const { id: _, user_id: __, ...body } = first!;
      const twin = await api().ok('createEndpoint', { body: { ...body, port: body.port + 1 } });
      const steps = [
        { step_type: 'GENERATE_HL7', parameters: { generator_template_id: generatorId } },
        { step_type: 'SEND_MLLP', parameters: { endpoint_id: endpointId } },
        { step_type: 'SEND_MLLP', parameters: { endpoint_id: twin.id } },
      ];
      await api().ok('updateTemplate', { params: { id: template.id }, body: { steps } });
      const { run_id: id } = await api().ok('startRun', { body: { template_id: template.id } });
      const run = await api().store.getRun(id);
      const ports = Object.values(run.endpoints).map(({ port }) => port);
      assert.deepEqual(ports, [body.port, body.port + 1]);
    });

    it('stay while runs refer to them', async () => {
      const { template } = await makeTemplate(api(), api().admin);
      await api().ok('startRun', { body: { template_id: template.id } });
      const path = `/api/simulator/templates/${template.id}`;
      const refusal = await api().call('DELETE', path, { as: api().admin });
      assert.equal(refusal.status, 409);
      assert.equal(refusal.body.code, 'TEMPLATE_IN_USE');
      const { template: free } = await makeTemplate(api(), api().admin);
      const freed = await api().call('DELETE', `/api/simulator/templates/${free.id}`, { as: api().admin });
      assert.equal(freed.status, 204);
    });

    it('of another user are not there', async () => {
      const { template } = await makeTemplate(api(), await api().user());
      const stranger = await api().user();
      const path = `/api/simulator/templates/${template.id}`;
      for (const method of ['GET', 'PUT', 'DELETE'] as const)
        assert.equal((await api().call(method, path, { as: stranger })).status, 404);
      assert.equal((await api().call('GET', path, { as: api().admin })).status, 200);
      assert.deepEqual(await api().ok('listTemplates', { as: stranger }), []);
    });
  });
}
