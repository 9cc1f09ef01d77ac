import { and, desc, eq } from '../drizzle.ts';
import type { ServerPort } from '../server-port.ts';
import { apiKeys, users } from '../server-schema.ts';
import type { ServerPartDeps } from './part.ts';
import { USER } from './users.ts';

const KEY = {
  id: apiKeys.id,
  userId: apiKeys.userId,
  name: apiKeys.name,
  prefix: apiKeys.prefix,
  createdAtMs: apiKeys.createdAtMs,
  lastUsedAtMs: apiKeys.lastUsedAtMs,
  isActive: apiKeys.isActive,
};

/** Several processes touch the same keys: each takes them in the order of their ids, so that none waits in a circle. */
const TOUCH = `
with used as (
  select key_id, max(used_at_ms) used_at_ms from unnest($1::int8[], $2::int8[]) as uses (key_id, used_at_ms)
  group by key_id
), locked as (
  select id from api_keys where id in (select key_id from used) order by id for update
)
update api_keys set last_used_at_ms = greatest(last_used_at_ms, used.used_at_ms)
from used join locked on locked.id = used.key_id where api_keys.id = locked.id`;

type ApiKeyMethods = 'createApiKey' | 'listApiKeys' | 'deleteApiKey' | 'findApiKey' | 'touchApiKeys';

export function createApiKeys({ database, clock }: ServerPartDeps): Pick<ServerPort, ApiKeyMethods> {
  return {
    createApiKey: async (key) => {
      const values = { ...key, createdAtMs: clock.nowMs() };
      const [created] = await database.askOnce((db) => db.insert(apiKeys).values(values).returning(KEY));
      return created!;
    },

    listApiKeys: (userId) =>
      database.ask((db) =>
        db.select(KEY).from(apiKeys).where(eq(apiKeys.userId, userId)).orderBy(desc(apiKeys.id)),
      ),

    deleteApiKey: async (userId, id) => {
      const own = and(eq(apiKeys.userId, userId), eq(apiKeys.id, id));
      const deleted = await database.ask((db) => db.delete(apiKeys).where(own).returning({ id: apiKeys.id }));
      return deleted.length > 0;
    },

    findApiKey: async (digest) => {
      const [found] = await database.ask((db) =>
        db
          .select({ keyId: apiKeys.id, user: USER })
          .from(apiKeys)
          .innerJoin(users, eq(users.id, apiKeys.userId))
          .where(and(eq(apiKeys.digest, digest), eq(apiKeys.isActive, true))),
      );
      return found ?? null;
    },

    touchApiKeys: async (uses) => {
      if (uses.length === 0) return;
      const ids = `{${uses.map(({ keyId }) => keyId).join(',')}}`;
      const times = `{${uses.map(({ usedAtMs }) => Math.round(usedAtMs)).join(',')}}`;
      await database.query((queries) => queries.query(TOUCH, [ids, times]));
    },
  };
}
