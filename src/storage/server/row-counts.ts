import type { Database } from '../database.ts';

const ATTEMPTS = 'select coalesce(sum(attempts), 0) from run_sums where run_id = $1';
const EVENTS_AFTER = 'select count(*), max(id) from run_events where run_id = $1 and id > $2';

/** Runs whose counts are remembered. */
const MAX_RUNS = 100;

type Count = (runId: number) => Promise<number>;

/**
 * How many rows a run has. Where the database is this process's alone, rows come in the order of their ids, so that a
 * million events are counted once and then only those that came after.
 */
export function createRowCounts({ executor, query }: Database): { attempts: Count; events: Count } {
  const counted = new Map<number, { rows: number; lastId: number }>();
  const eventsAfter = async (runId: number, lastId: number) => {
    const [row] = await query((queries) => queries.query(EVENTS_AFTER, [runId, lastId]));
    return { rows: Number(row![0]), lastId: Number(row![1] ?? 0) };
  };
  const remembering: Count = async (runId) => {
    const before = counted.get(runId) ?? { rows: 0, lastId: 0 };
    const more = await eventsAfter(runId, before.lastId);
    const now = { rows: before.rows + more.rows, lastId: Math.max(before.lastId, more.lastId) };
    counted.delete(runId);
    counted.set(runId, now);
    if (counted.size > MAX_RUNS) counted.delete(counted.keys().next().value!);
    return now.rows;
  };
  return {
    attempts: async (runId) => {
      const [row] = await query((queries) => queries.query(ATTEMPTS, [runId]));
      return Number(row![0]);
    },
    events: executor.shared ? async (runId) => (await eventsAfter(runId, 0)).rows : remembering,
  };
}
