import { count, desc, eq, ilike, or } from '../drizzle.ts';
import type { ServerPort } from '../server-port.ts';
import { listenerMessages } from '../server-schema.ts';
import type { ServerPartDeps } from './part.ts';

const { id, receivedAtMs, messageType, controlId, sendingApp, rawMessage } = listenerMessages;

type ListenerMethods =
  | 'addListenerMessage'
  | 'listListenerMessages'
  | 'getListenerMessage'
  | 'deleteListenerMessage';

/** A LIKE pattern for text that holds `search` as it stands. */
export function containing(search: string): string {
  return `%${search.replace(/[\\%_]/g, '\\$&')}%`;
}

export function createListenerMessages({ database }: ServerPartDeps): Pick<ServerPort, ListenerMethods> {
  return {
    addListenerMessage: async (message) => {
      const [stored] = await database.askOnce((db) =>
        db.insert(listenerMessages).values(message).returning(),
      );
      return stored!;
    },

    listListenerMessages: async ({ search, limit, offset }) => {
      const found = search
        ? or(...[messageType, controlId, sendingApp, rawMessage].map((of) => ilike(of, containing(search))))
        : undefined;
      const [counted] = await database.ask((db) =>
        db.select({ total: count() }).from(listenerMessages).where(found),
      );
      const items = await database.ask((db) =>
        db
          .select({ id, receivedAtMs, messageType, controlId, sendingApp })
          .from(listenerMessages)
          .where(found)
          .orderBy(desc(id))
          .limit(limit)
          .offset(offset),
      );
      return { items, total: counted!.total };
    },

    getListenerMessage: async (messageId) => {
      const [message] = await database.ask((db) =>
        db.select().from(listenerMessages).where(eq(id, messageId)),
      );
      return message ?? null;
    },

    deleteListenerMessage: async (messageId) => {
      const deleted = await database.ask((db) =>
        db.delete(listenerMessages).where(eq(id, messageId)).returning({ id }),
      );
      return deleted.length > 0;
    },
  };
}
