import { eq } from '../drizzle.ts';
import type { ServerPort } from '../server-port.ts';
import { endpoints } from '../server-schema.ts';
import { changes, type ServerPartDeps } from './part.ts';
import { byName } from './text-order.ts';

type EndpointMethods =
  | 'createEndpoint'
  | 'getEndpoint'
  | 'listEndpoints'
  | 'updateEndpoint'
  | 'deleteEndpoint';

export function createEndpoints({ database }: ServerPartDeps): Pick<ServerPort, EndpointMethods> {
  const get: ServerPort['getEndpoint'] = async (id) => {
    const [row] = await database.ask((db) => db.select().from(endpoints).where(eq(endpoints.id, id)));
    return row ?? null;
  };
  return {
    getEndpoint: get,

    createEndpoint: async (endpoint) => {
      const [created] = await database.askOnce((db) => db.insert(endpoints).values(endpoint).returning());
      return created!;
    },

    listEndpoints: async () => byName(await database.ask((db) => db.select().from(endpoints))),

    updateEndpoint: async (id, change) => {
      if (!changes(change)) return await get(id);
      const [row] = await database.ask((db) =>
        db.update(endpoints).set(change).where(eq(endpoints.id, id)).returning(),
      );
      return row ?? null;
    },

    deleteEndpoint: async (id) => {
      const own = eq(endpoints.id, id);
      const deleted = await database.ask((db) =>
        db.delete(endpoints).where(own).returning({ id: endpoints.id }),
      );
      return deleted.length > 0;
    },
  };
}
