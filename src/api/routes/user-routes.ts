import { YeeterError } from '../../lib/errors.ts';
import type { ServerStore, UserRecord } from '../../storage/server-port.ts';
import type { Audit } from '../audit.ts';
import type { Handlers } from '../http/handlers.ts';
import { missing } from '../http/refusals.ts';
import { at } from '../time.ts';

export interface UserRoutesDeps {
  store: Pick<ServerStore, 'listUsers' | 'setAdmin' | 'deleteUser' | 'getUser' | 'listAudit'>;
  audit: Audit;
}

function toWire({ id, username, email, isAdmin, createdAtMs }: UserRecord) {
  return { id, username, email, is_admin: isAdmin, created_at: at(createdAtMs) };
}

export function createUserRoutes({
  store,
  audit,
}: UserRoutesDeps): Pick<Handlers, 'listUsers' | 'updateUser' | 'deleteUser' | 'listAudit'> {
  return {
    listUsers: async () => ({ status: 200, body: (await store.listUsers()).map(toWire) }),

    updateUser: async (call) => {
      const { params, body } = call;
      const user = (await store.setAdmin(params.id, body.is_admin)) ?? missing('user', params.id);
      await audit.record(call, 'user.set_admin', `user ${user.id}`, {
        username: user.username,
        is_admin: user.isAdmin,
      });
      const msg = `${user.username} is ${user.isAdmin ? 'an administrator' : 'no administrator'} now`;
      return { status: 200, body: { ...toWire(user), msg } };
    },

    deleteUser: async (call) => {
      const { id } = call.params;
      if (id === call.user.id)
        throw new YeeterError('USAGE', 'this is your own account: let another administrator delete it');
      const user = (await store.getUser(id)) ?? missing('user', id);
      if (!(await store.deleteUser(id))) missing('user', id);
      await audit.record(call, 'user.delete', `user ${id}`, { username: user.username });
      return { status: 200, body: { msg: `${user.username} was deleted` } };
    },

    listAudit: async ({ query: { limit, before_id: beforeId } }) => {
      const entries = await store.listAudit({ limit, ...(beforeId === undefined ? {} : { beforeId }) });
      const body = entries.map(({ id, atMs, userId, username, action, object, details, address }) => ({
        id,
        at: at(atMs),
        user_id: userId,
        username,
        action,
        object,
        details: { ...details },
        address,
      }));
      return { status: 200, body };
    },
  };
}
