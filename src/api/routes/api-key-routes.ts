import type { ServerStore } from '../../storage/server-port.ts';
import { makeApiKey } from '../auth/api-keys.ts';
import type { Handlers } from '../http/handlers.ts';
import { missing } from '../http/refusals.ts';
import { at, maybeAt } from '../time.ts';

type ApiKeyStore = Pick<ServerStore, 'createApiKey' | 'listApiKeys' | 'deleteApiKey'>;

export function createApiKeyRoutes({
  store,
}: {
  store: ApiKeyStore;
}): Pick<Handlers, 'listApiKeys' | 'createApiKey' | 'deleteApiKey'> {
  return {
    listApiKeys: async ({ user }) => {
      const keys = await store.listApiKeys(user.id);
      const body = keys.map((key) => ({
        id: key.id,
        name: key.name,
        key_prefix: key.prefix,
        created_at: at(key.createdAtMs),
        last_used: maybeAt(key.lastUsedAtMs),
        is_active: key.isActive,
      }));
      return { status: 200, body };
    },
    createApiKey: async ({ user, body: { name } }) => {
      const { raw, prefix, digest } = makeApiKey();
      await store.createApiKey({ userId: user.id, name, prefix, digest });
      const message = 'the key was made; it is shown this once, so keep it now';
      return { status: 201, body: { message, name, key_prefix: prefix, raw_key: raw } };
    },
    deleteApiKey: async ({ user, params: { id } }) => {
      if (!(await store.deleteApiKey(user.id, id))) missing('API key of yours with the number', id);
      return { status: 204 };
    },
  };
}
