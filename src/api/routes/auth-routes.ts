import { YeeterError } from '../../lib/errors.ts';
import type { ServerStore } from '../../storage/server-port.ts';
import type { Passwords } from '../auth/password.ts';
import type { RateLimit } from '../auth/rate-limit.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Handlers } from '../http/handlers.ts';
import { TooManyRequests } from '../http/refusals.ts';

export interface AuthRoutesDeps {
  store: Pick<ServerStore, 'createUser' | 'findUser' | 'listUsers'>;
  passwords: Passwords;
  tokens: Tokens;
  /** Failed sign-ins, by address and by name. */
  signIns: RateLimit;
  registrations: RateLimit;
  registrationOpen: boolean;
}

export function createAuthRoutes(deps: AuthRoutesDeps): Pick<Handlers, 'register' | 'login'> {
  const { store, passwords, tokens, signIns, registrations } = deps;

  const mayRegister = async (): Promise<boolean> =>
    deps.registrationOpen || (await store.listUsers()).length === 0;

  return {
    register: async ({ body, address }) => {
      if (!(await mayRegister()))
        throw new YeeterError('FORBIDDEN', 'registration is closed: ask an administrator for an account');
      const wait = registrations.waitFor(address);
      if (wait > 0) throw new TooManyRequests('too many accounts were made from your address', wait);
      registrations.count(address);
      const passwordHash = await passwords.hash(body.password);
      const user = await store.createUser({ username: body.username, email: body.email, passwordHash });
      const { username, isAdmin } = user;
      return {
        status: 201,
        body: {
          message: `account ${username} was made`,
          access_token: await tokens.sign(user.id),
          username,
          is_admin: isAdmin,
        },
      };
    },

    login: async ({ body, address }) => {
      const byName = `name ${body.username.trim().toLowerCase()}`;
      const keys = [`address ${address}`, byName];
      const wait = Math.max(...keys.map(signIns.waitFor));
      if (wait > 0) throw new TooManyRequests('too many failed sign-ins', wait);
      // Before the password is looked at: many guesses at once are many guesses.
      for (const key of keys) signIns.count(key);
      const user = await store.findUser(body.username.trim());
      if (!(await passwords.verify(body.password, user?.passwordHash ?? null)) || !user)
        throw new YeeterError('UNAUTHENTICATED', 'no such username and password');
      for (const key of keys) signIns.forgive(key);
      const { id, username, isAdmin } = user;
      return { status: 200, body: { access_token: await tokens.sign(id), username, is_admin: isAdmin } };
    },
  };
}
