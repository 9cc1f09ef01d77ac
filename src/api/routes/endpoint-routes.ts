import type { EndpointRecord, NewEndpoint, ServerStore } from '../../storage/server-port.ts';
import type { Audit } from '../audit.ts';
import type { Handlers } from '../http/handlers.ts';
import { fault, missing } from '../http/refusals.ts';

export interface EndpointRoutesDeps {
  store: Pick<
    ServerStore,
    'createEndpoint' | 'getEndpoint' | 'listEndpoints' | 'updateEndpoint' | 'deleteEndpoint'
  >;
  audit: Audit;
}

function toWire(endpoint: EndpointRecord) {
  const { id, userId, name, endpointType, hostname, port, aeTitle, callingAeTitle } = endpoint;
  return {
    id,
    user_id: userId,
    name,
    endpoint_type: endpointType,
    hostname,
    port,
    ae_title: aeTitle,
    aet_title: callingAeTitle,
  };
}

/** @throws {RequestFaults} when it could not be used */
function check({ endpointType, aeTitle }: Pick<NewEndpoint, 'endpointType' | 'aeTitle'>): void {
  if (endpointType === 'DICOM_SCP' && aeTitle === null)
    throw fault(['ae_title'], 'is missing: a DICOM_SCP endpoint needs its (called) AE title', 'missing');
}

type Names = 'listEndpoints' | 'createEndpoint' | 'getEndpoint' | 'updateEndpoint' | 'deleteEndpoint';

export function createEndpointRoutes({ store, audit }: EndpointRoutesDeps): Pick<Handlers, Names> {
  return {
    listEndpoints: async () => ({ status: 200, body: (await store.listEndpoints()).map(toWire) }),

    getEndpoint: async ({ params: { id } }) => ({
      status: 200,
      body: toWire((await store.getEndpoint(id)) ?? missing('endpoint', id)),
    }),

    createEndpoint: async (call) => {
      const { name, endpoint_type: endpointType, hostname, port, ae_title, aet_title } = call.body;
      const endpoint = {
        userId: call.user.id,
        name,
        endpointType,
        hostname,
        port,
        aeTitle: ae_title ?? null,
        callingAeTitle: aet_title ?? null,
      };
      check(endpoint);
      const made = await store.createEndpoint(endpoint);
      await audit.record(call, 'endpoint.create', `endpoint ${made.id}`, { name, hostname, port });
      return { status: 201, body: toWire(made) };
    },

    updateEndpoint: async (call) => {
      const { id } = call.params;
      const { ae_title: aeTitle, aet_title: callingAeTitle, endpoint_type: endpointType } = call.body;
      const { name, hostname, port } = call.body;
      const given = { name, endpointType, hostname, port, aeTitle, callingAeTitle };
      const change: Partial<Omit<NewEndpoint, 'userId'>> = Object.fromEntries(
        Object.entries(given).filter(([, value]) => value !== undefined),
      );
      const before = (await store.getEndpoint(id)) ?? missing('endpoint', id);
      check({ ...before, ...change });
      const changed = (await store.updateEndpoint(id, change)) ?? missing('endpoint', id);
      await audit.record(call, 'endpoint.update', `endpoint ${id}`, change);
      return { status: 200, body: toWire(changed) };
    },

    deleteEndpoint: async (call) => {
      const { id } = call.params;
      if (!(await store.deleteEndpoint(id))) missing('endpoint', id);
      await audit.record(call, 'endpoint.delete', `endpoint ${id}`);
      return { status: 204 };
    },
  };
}
