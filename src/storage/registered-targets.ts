import type { Database } from './database.ts';
import { and, asc, eq } from './drizzle.ts';
import type { StoragePort } from './port.ts';
import { targets } from './schema.ts';

export type RegisteredTargets = Pick<StoragePort, 'listTargets' | 'registerTarget' | 'removeTarget'>;

export function createRegisteredTargets(database: Database): RegisteredTargets {
  return {
    listTargets: async () => {
      return await database.ask((db) =>
        db.select().from(targets).orderBy(asc(targets.host), asc(targets.port)),
      );
    },

    registerTarget: async (target) => {
      const { host, port, ...rest } = target;
      await database.ask((db) =>
        db
          .insert(targets)
          .values({ host, port, ...rest })
          .onConflictDoUpdate({ target: [targets.host, targets.port], set: rest }),
      );
    },

    removeTarget: async (host, port) => {
      const removed = await database.ask((db) =>
        db
          .delete(targets)
          .where(and(eq(targets.host, host), eq(targets.port, port)))
          .returning(),
      );
      return removed.length > 0;
    },
  };
}
