import { YeeterError } from '../../lib/errors.ts';
import type { Drizzle } from '../database.ts';
import { and, asc, eq, ne, or } from '../drizzle.ts';
import { runs } from '../schema.ts';
import type { NewUser, ServerPort } from '../server-port.ts';
import { apiKeys, users } from '../server-schema.ts';
import type { ServerPartDeps } from './part.ts';
import { withoutCase } from './text-order.ts';

/** Without what only the database compares. */
export const USER = {
  id: users.id,
  username: users.username,
  email: users.email,
  passwordHash: users.passwordHash,
  isAdmin: users.isAdmin,
  createdAtMs: users.createdAtMs,
};

/** Held by who decides on what users there are, so that two never decide on the same grounds. */
const LOCK = 'lock table users in share row exclusive mode';

type UserMethods = 'createUser' | 'getUser' | 'findUser' | 'listUsers' | 'setAdmin' | 'deleteUser';

export function createUsers({ database, clock }: ServerPartDeps): Pick<ServerPort, UserMethods> {
  return {
    createUser: (user) =>
      database.changeOnce(async (db, tx) => {
        await tx.query(LOCK);
        const keys = { usernameKey: withoutCase(user.username), emailKey: withoutCase(user.email) };
        await assertFree(db, user, keys);
        const [anybody] = await db.select({ id: users.id }).from(users).limit(1);
        const values = { ...user, ...keys, isAdmin: anybody === undefined, createdAtMs: clock.nowMs() };
        const [created] = await db.insert(users).values(values).returning(USER);
        return created!;
      }),

    getUser: async (id) => {
      const [user] = await database.ask((db) => db.select(USER).from(users).where(eq(users.id, id)));
      return user ?? null;
    },

    findUser: async (username) => {
      const named = eq(users.usernameKey, withoutCase(username));
      const [user] = await database.ask((db) => db.select(USER).from(users).where(named));
      return user ?? null;
    },

    listUsers: () => database.ask((db) => db.select(USER).from(users).orderBy(asc(users.id))),

    setAdmin: (id, isAdmin) =>
      database.change(async (db, tx) => {
        await tx.query(LOCK);
        if (!isAdmin) await assertNotLast(db, id);
        const [user] = await db.update(users).set({ isAdmin }).where(eq(users.id, id)).returning(USER);
        return user ?? null;
      }),

    deleteUser: (id) =>
      database.changeOnce(async (db, tx) => {
        await tx.query(LOCK);
        await assertNotLast(db, id);
        await db.delete(apiKeys).where(eq(apiKeys.userId, id));
        await db.update(runs).set({ userId: null }).where(eq(runs.userId, id));
        const deleted = await db.delete(users).where(eq(users.id, id)).returning({ id: users.id });
        return deleted.length > 0;
      }),
  };
}

/** @throws {YeeterError} NAME_TAKEN */
async function assertFree(
  db: Drizzle,
  user: NewUser,
  keys: { usernameKey: string; emailKey: string },
): Promise<void> {
  const same = or(eq(users.usernameKey, keys.usernameKey), eq(users.emailKey, keys.emailKey));
  const [other] = await db.select({ key: users.usernameKey }).from(users).where(same).limit(1);
  if (!other) return;
  const taken =
    other.key === keys.usernameKey ? `the name ${user.username}` : `the mail address ${user.email}`;
  throw new YeeterError('NAME_TAKEN', `${taken} is taken: choose another, or sign in`);
}

/** @throws {YeeterError} LAST_ADMIN */
async function assertNotLast(db: Drizzle, id: number): Promise<void> {
  const [user] = await db.select(USER).from(users).where(eq(users.id, id));
  if (!user?.isAdmin) return;
  const [other] = await db
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.isAdmin, true), ne(users.id, id)))
    .limit(1);
  if (other) return;
  throw new YeeterError(
    'LAST_ADMIN',
    `${user.username} is the only administrator: make somebody else administrator first`,
  );
}
