import type { Clock } from '../lib/clock.ts';
import type { ServerStore } from '../storage/server-port.ts';
import type { User } from './http/handlers.ts';

interface Actor {
  user: Pick<User, 'id' | 'username'>;
  address: string;
}

export interface Audit {
  /** @param object what it was done to, for example `user 7` */
  record(
    actor: Actor,
    action: string,
    object: string,
    details?: Readonly<Record<string, unknown>>,
  ): Promise<void>;
}

/** Administrative acts, written down once they are done. */
export function createAudit(store: Pick<ServerStore, 'addAudit'>, clock: Clock): Audit {
  return {
    record: async ({ user, address }, action, object, details = {}) => {
      const { id: userId, username } = user;
      await store.addAudit({ atMs: clock.nowMs(), userId, username, action, object, details, address });
    },
  };
}
