import { eq } from '../drizzle.ts';
import type { ServerPort } from '../server-port.ts';
import { generators } from '../server-schema.ts';
import { changes, type ServerPartDeps } from './part.ts';
import { byName } from './text-order.ts';

type GeneratorMethods =
  | 'createGenerator'
  | 'getGenerator'
  | 'listGenerators'
  | 'updateGenerator'
  | 'deleteGenerator';

export function createGenerators({ database, clock }: ServerPartDeps): Pick<ServerPort, GeneratorMethods> {
  const get: ServerPort['getGenerator'] = async (id) => {
    const [row] = await database.ask((db) => db.select().from(generators).where(eq(generators.id, id)));
    return row ?? null;
  };
  return {
    getGenerator: get,

    createGenerator: async (generator) => {
      const values = { ...generator, createdAtMs: clock.nowMs() };
      const [created] = await database.askOnce((db) => db.insert(generators).values(values).returning());
      return created!;
    },

    listGenerators: async () => byName(await database.ask((db) => db.select().from(generators))),

    updateGenerator: async (id, change) => {
      if (!changes(change)) return await get(id);
      const [row] = await database.ask((db) =>
        db.update(generators).set(change).where(eq(generators.id, id)).returning(),
      );
      return row ?? null;
    },

    deleteGenerator: async (id) => {
      const own = eq(generators.id, id);
      const deleted = await database.ask((db) =>
        db.delete(generators).where(own).returning({ id: generators.id }),
      );
      return deleted.length > 0;
    },
  };
}
