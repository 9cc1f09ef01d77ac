import { and, desc, eq, gte, lt, lte } from '../drizzle.ts';
import type { ServerPort } from '../server-port.ts';
import { auditLog, scalingDecisions } from '../server-schema.ts';
import type { ServerPartDeps } from './part.ts';
import { mergeInto } from './settings.ts';

type DecisionMethods = 'addDecision' | 'settleDecision' | 'listDecisions' | 'addAudit' | 'listAudit';

/** What was decided and done, by the scaler and by people: written once, read from the newest on. */
export function createDecisions({ database }: ServerPartDeps): Pick<ServerPort, DecisionMethods> {
  return {
    addDecision: async (decision) => {
      const [stored] = await database.askOnce((db) =>
        db.insert(scalingDecisions).values(decision).returning(),
      );
      return stored!;
    },

    settleDecision: (id, { applied, error }, setting) =>
      database.change(async (db, tx) => {
        await db.update(scalingDecisions).set({ applied, error }).where(eq(scalingDecisions.id, id));
        await mergeInto(tx, setting);
      }),

    listDecisions: ({ fromMs, toMs, beforeId, limit }) => {
      const { id, atMs } = scalingDecisions;
      const wanted = and(
        fromMs === undefined ? undefined : gte(atMs, fromMs),
        toMs === undefined ? undefined : lte(atMs, toMs),
        beforeId === undefined ? undefined : lt(id, beforeId),
      );
      return database.ask((db) =>
        db.select().from(scalingDecisions).where(wanted).orderBy(desc(id)).limit(limit),
      );
    },

    addAudit: async (entry) => {
      await database.askOnce((db) => db.insert(auditLog).values(entry));
    },

    listAudit: ({ beforeId, limit }) => {
      const older = beforeId === undefined ? undefined : lt(auditLog.id, beforeId);
      return database.ask((db) =>
        db.select().from(auditLog).where(older).orderBy(desc(auditLog.id)).limit(limit),
      );
    },
  };
}
