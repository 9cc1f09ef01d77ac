import { RUN_DETAIL, type RunDetail, type RunEvent } from './answers.ts';
import type { ApiClient } from './http.ts';

export interface RunNews {
  run: RunDetail;
  /** Stored since the last reading, by their ids. */
  events: RunEvent[];
}

/**
 * The events of a run from a point on, each once. They are read from the server's store and not from its live events,
 * which leave some out under load: live events only say when to read.
 */
export interface RunFeed {
  /** What is new among the newest events. */
  read(signal?: AbortSignal): Promise<RunNews>;
  /** Everything that was not read yet: rows of several writers become visible out of order. */
  readAll(signal?: AbortSignal): Promise<RunNews>;
}

export interface RunFeedOptions {
  client: ApiClient;
  runId: number;
  /** Events to begin with, the newest ones of those that are there. */
  tail: number;
  /** @default 200 */
  pageSize?: number;
}

const PAGE_SIZE = 200;

export function createRunFeed({ client, runId, tail, pageSize = PAGE_SIZE }: RunFeedOptions): RunFeed {
  const seen = new Set<number>();
  /** Events up to this id were there before; null until the first reading. */
  let before: number | null = null;

  const page = (offset: number, limit: number, signal?: AbortSignal): Promise<RunDetail> =>
    client.json(RUN_DETAIL, {
      path: `/api/simulator/runs/${runId}`,
      query: { events_limit: limit, events_offset: offset, events_order: 'desc' },
      signal,
    });

  const open = async (signal?: AbortSignal): Promise<void> => {
    if (tail === Number.POSITIVE_INFINITY) {
      before = 0;
      return;
    }
    const { events } = await page(0, Math.max(1, tail), signal);
    const first = events.length > tail ? events.at(-1) : events[0];
    if (events.length < tail || first === undefined) before = 0;
    else before = tail === 0 ? first.id : first.id - 1;
  };

  /** From the newest page on backwards, until `enough` says of a page that nothing new lies before it. */
  const gather = async (enough: (fresh: number) => boolean, signal?: AbortSignal): Promise<RunNews> => {
    if (before === null) await open(signal);
    const fresh = new Map<number, RunEvent>();
    let newest: RunDetail | null = null;
    for (let offset = 0; ; offset += pageSize) {
      const run = await page(offset, pageSize, signal);
      newest ??= run;
      const wanted = run.events.filter(({ id }) => id > before!);
      const unread = wanted.filter(({ id }) => !seen.has(id));
      for (const event of unread) fresh.set(event.id, event);
      const isLast = run.events.length < pageSize || wanted.length < run.events.length;
      if (isLast || enough(unread.length)) break;
    }
    for (const id of fresh.keys()) seen.add(id);
    return { run: newest, events: [...fresh.values()].sort((one, other) => one.id - other.id) };
  };

  return {
    read: (signal) => gather((fresh) => fresh === 0, signal),
    readAll: (signal) => gather(() => false, signal),
  };
}
