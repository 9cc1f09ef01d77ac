import type { RoomStore } from '../../src/api/live/room-reader.ts';
import type { SystemStore } from '../../src/api/live/system-state.ts';
import type { CoordinationPort } from '../../src/storage/coordination-port.ts';
import type { RunRecord, StoredAttempt, StoredEvent } from '../../src/storage/port.ts';
import type { RunSummary, ServerStore } from '../../src/storage/server-port.ts';

export type LiveStore = CoordinationPort &
  RoomStore &
  SystemStore &
  Pick<ServerStore, 'listListenerMessages'>;

const summaryOf = (run: RunRecord): RunSummary => ({
  ...run,
  username: null,
  templateId: null,
  templateName: run.template.name,
  seed: run.identity.seed,
  namespace: run.identity.namespace,
});

/** What live rooms read, from a ledger alone. */
export function liveStore(store: CoordinationPort): LiveStore {
  const all = async <Row extends StoredEvent | StoredAttempt>(
    read: (page: { afterId: number; limit: number }) => Promise<Row[]>,
  ): Promise<Row[]> => {
    const rows: Row[] = [];
    for (;;) {
      const page = await read({ afterId: rows.at(-1)?.id ?? 0, limit: 1000 });
      rows.push(...page);
      if (page.length < 1000) return rows;
    }
  };
  const more: Omit<LiveStore, keyof CoordinationPort> = {
    eventWindow: async (runId, { limit }) => {
      const rows = await all((page) => store.readEvents(runId, page));
      return { total: rows.length, events: rows.slice(-limit) };
    },
    listAttempts: async ({ runId, limit }) =>
      (await all((page) => store.readAttempts(runId!, page))).reverse().slice(0, limit),
    runSummary: async (runId) => summaryOf(await store.getRun(runId)),
    listRunSummaries: async ({ status, limit }) =>
      (await store.listRuns({ ...(status ? { statuses: [status] } : {}), limit })).map(summaryOf),
    listListenerMessages: async () => ({ items: [], total: 0 }),
  };
  return new Proxy(store, {
    get: (_, name) => {
      const own: unknown = Object.hasOwn(more, name)
        ? Reflect.get(more, name)
        : Reflect.get(store, name, store);
      if (typeof own !== 'function') return own;
      return (...parameters: unknown[]): unknown => Reflect.apply(own, store, parameters);
    },
  }) as LiveStore;
}
