import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RouteName } from '../../src/api/contract/routes.ts';
import { ALL_ROUTES, type Person, type TestApi } from '../support/api.ts';
import { generatorBody, makeTemplate } from './catalogue.ts';

/** Statuses of a stranger without credentials, the owner, another user, and an administrator. */
type Row = readonly [anonymous: number, owner: number, other: number, admin: number];

interface World {
  owner: Person;
  templateId: number;
  generatorId: number;
  endpointId: number;
  runId: number;
  apiKeyId: number;
  messageId: number;
  userId: number;
}

interface Access {
  statuses: Row;
  path?: (world: World) => Record<string, string | number>;
  body?: (world: World) => Record<string, unknown>;
  /** Belongs to nobody, so that whoever comes first may delete it. */
  shared?: boolean;
}

const forUsers: Row = [401, 200, 200, 200];
const forAdmins: Row = [401, 403, 403, 200];
const forAnyone: Row = [200, 200, 200, 200];
/** Asked with a body that is refused, so that nothing happens: what counts is how far one gets. */
const EMPTY = () => ({});
const run = ({ runId }: World) => ({ id: runId });
const template = ({ templateId }: World) => ({ id: templateId });
const queue = () => ({ name: 'q' });

/** Every route of the contract has a row; deletions come last for each object, in the order of the callers. */
const TABLE: Record<RouteName, Access> = {
  health: { statuses: forAnyone },
  liveness: { statuses: forAnyone },
  readiness: { statuses: forAnyone },
  openapi: { statuses: forAnyone },
  register: { statuses: [422, 422, 422, 422] },
  login: { statuses: [422, 422, 422, 422] },
  listMessageTemplates: { statuses: forAnyone },
  supportedVersions: { statuses: forAnyone },
  totalTokenUsage: { statuses: forAnyone },
  usageByModel: { statuses: forAnyone },

  listApiKeys: { statuses: forUsers },
  createApiKey: { statuses: [401, 201, 201, 201], body: () => ({ name: 'key' }) },
  deleteApiKey: { statuses: [401, 204, 404, 404], path: ({ apiKeyId }) => ({ id: apiKeyId }) },

  listUsers: { statuses: forAdmins },
  updateUser: {
    statuses: forAdmins,
    path: ({ userId }) => ({ id: userId }),
    body: () => ({ is_admin: false }),
  },
  deleteUser: { statuses: forAdmins, path: ({ userId }) => ({ id: userId }) },
  listAudit: { statuses: forAdmins },

  listGenerators: { statuses: forUsers },
  createGenerator: { statuses: [401, 403, 403, 201], body: () => generatorBody() },
  updateGenerator: {
    statuses: forAdmins,
    path: ({ generatorId }) => ({ id: generatorId }),
    body: () => ({ name: 'renamed' }),
  },
  deleteGenerator: { statuses: [401, 403, 403, 204], path: ({ generatorId }) => ({ id: generatorId }) },

  listEndpoints: { statuses: forUsers },
  getEndpoint: { statuses: forUsers, path: ({ endpointId }) => ({ id: endpointId }) },
  createEndpoint: {
    statuses: [401, 403, 403, 201],
    body: () => ({ name: 'e', endpoint_type: 'MLLP', hostname: '127.0.0.1', port: 1 }),
  },
  updateEndpoint: {
    statuses: forAdmins,
    path: ({ endpointId }) => ({ id: endpointId }),
    body: () => ({ port: 2 }),
  },
  deleteEndpoint: { statuses: [401, 403, 403, 204], path: ({ endpointId }) => ({ id: endpointId }) },

  listTemplates: { statuses: forUsers },
  createTemplate: { statuses: [401, 422, 422, 422], body: EMPTY },
  getTemplate: { statuses: [401, 200, 404, 200], path: template },
  updateTemplate: { statuses: [401, 200, 404, 200], path: template, body: () => ({ description: 'd' }) },
  deleteTemplate: { statuses: [401, 409, 404, 409], path: template },

  startRun: {
    statuses: [401, 202, 404, 202],
    body: ({ templateId }) => ({ template_id: templateId }),
  },
  startRunOfTemplate: {
    statuses: [401, 202, 404, 202],
    path: ({ templateId }) => ({ template_id: templateId }),
  },
  listRuns: { statuses: forUsers },
  getRun: { statuses: [401, 200, 404, 200], path: run },
  runStats: { statuses: [401, 200, 404, 200], path: run },
  runMetrics: { statuses: [401, 200, 404, 200], path: run },
  cancelRun: { statuses: [401, 202, 403, 202], path: run },
  deleteRun: { statuses: [401, 422, 404, 422], path: run },
  deleteRuns: { statuses: [401, 422, 422, 422] },

  runsMetrics: { statuses: forUsers },
  workersMetrics: { statuses: forUsers },

  getAutoscaler: { statuses: forAdmins },
  updateAutoscaler: { statuses: forAdmins, body: EMPTY },
  scaleAutoscaler: { statuses: [401, 403, 403, 400], body: EMPTY },
  clearOverride: { statuses: forAdmins },
  scaleWorkers: { statuses: [401, 403, 403, 422], body: EMPTY },
  listWorkers: { statuses: forAdmins },
  listDecisions: { statuses: forAdmins },

  listQueues: { statuses: forAdmins },
  listDeadLetters: { statuses: forAdmins, path: queue },
  listSetAside: { statuses: forAdmins, path: queue },
  requeueDeadLetters: { statuses: forAdmins, path: queue },
  purgeDeadLetters: { statuses: [401, 403, 403, 422], path: queue },
  purgeQueue: { statuses: [401, 403, 403, 422], path: queue },
  drainQueue: { statuses: forAdmins, path: queue },
  pauseQueue: { statuses: forAdmins, path: queue },
  resumeQueue: { statuses: forAdmins, path: queue },

  sendHl7: { statuses: [401, 422, 422, 422], body: EMPTY },
  pingMllp: { statuses: [401, 422, 422, 422], body: EMPTY },
  parseHl7: { statuses: [401, 422, 422, 422], body: EMPTY },
  startListener: { statuses: [401, 422, 422, 422], body: EMPTY },
  stopListener: { statuses: forUsers },
  listMessages: { statuses: forUsers },
  getMessage: { statuses: forUsers, path: ({ messageId }) => ({ id: messageId }) },
  deleteMessage: {
    statuses: [401, 204, 404, 404],
    shared: true,
    path: ({ messageId }) => ({ id: messageId }),
  },
};

/** Deleting runs waits for their end, so that it is tried on a run that is over, in the tests of runs. */
const ELSEWHERE: readonly RouteName[] = ['deleteRun', 'deleteRuns'];

/** Who may do what to whose. */
export function authorisationConforms(api: () => TestApi): void {
  const makeWorld = async (): Promise<World> => {
    const owner = await api().user();
    const { template: made, generatorId, endpointId } = await makeTemplate(api(), owner);
    const { run_id: runId } = await api().ok('startRun', { as: owner, body: { template_id: made.id } });
    await api().ok('createApiKey', { as: owner, body: { name: 'k' } });
    const [key] = await api().ok('listApiKeys', { as: owner });
    const message = {
      receivedAtMs: 1,
      messageType: null,
      controlId: null,
      sendingApp: null,
      rawMessage: 'm',
    };
    const { id: messageId } = await api().store.addListenerMessage(message);
    const { id: userId } = await api().user();
    return {
      owner,
      templateId: made.id,
      generatorId,
      endpointId,
      runId,
      apiKeyId: key!.id,
      messageId,
      userId,
    };
  };

  describe('authorisation', () => {
    for (const [name, spec] of ALL_ROUTES.filter(([route]) => !ELSEWHERE.includes(route))) {
      const { statuses, path, body, shared } = TABLE[name];
      it(`${spec.method} ${spec.path} is for ${spec.who}`, async () => {
        const world = await makeWorld();
        const parameters: Record<string, string | number> = path?.(world) ?? {};
        const url = spec.path.replace(/:(\w+)/g, (_, key: string) => String(parameters[key]));
        const callers = [null, world.owner, await api().user(), api().admin];
        // The stranger first, and the owner last of those who may not: what is deleted is gone for those after.
        const order = statuses[1] === 204 && !shared ? [0, 2, 1, 3] : [0, 1, 2, 3];
        for (const index of order) {
          const payload = body?.(world);
          const reply = await api().call(spec.method, url, {
            as: callers[index] ?? null,
            ...(payload === undefined ? {} : { body: payload }),
          });
          const who = ['anonymous', 'owner', 'other', 'admin'][index];
          assert.equal(reply.status, statuses[index], `${who}: ${reply.text}`);
        }
      });
    }

    it('administrators’ routes say so', async () => {
      const user = await api().user();
      for (const [, spec] of ALL_ROUTES.filter(([, { who }]) => who === 'admin')) {
        const url = spec.path.replace(/:\w+/g, '1');
        const { status, body } = await api().call(spec.method, url, { as: user });
        assert.equal(status, 403, url);
        assert.equal(body.error ?? body.message, 'Admins only.');
      }
    });

    it('a stranger’s body is not even read', async () => {
      const { api: server } = api();
      const reply = await server.app.inject({
        method: 'POST',
        url: '/api/simulator/run',
        headers: { 'content-type': 'application/json' },
        payload: '{ not JSON',
      });
      assert.equal(reply.statusCode, 401);
    });
  });
}
