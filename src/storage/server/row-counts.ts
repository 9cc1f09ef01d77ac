import type { Database } from '../database.ts';

const KEPT_ATTEMPTS = 'select coalesce(sum(attempts), 0), null from run_sums where run_id = $1';

const since = (table: 'job_attempts' | 'run_events'): string =>
  `select count(*), max(id) from ${table} where run_id = $1 and id > $2`;

/** Runs whose counts are remembered. */
const MAX_RUNS = 100;

type Count = (runId: number) => Promise<number>;

/**
 * How many rows a run has. Where the database is this process's alone, rows come in the order of their ids, so that a
 * million of them are counted once and then only those that came after.
 */
export function createRowCounts({ executor, query }: Database): { attempts: Count; events: Count } {
  const count = async (statement: string, ...parameters: number[]) => {
    const [row] = await query((queries) => queries.query(statement, parameters));
    return { rows: Number(row![0]), lastId: Number(row![1] ?? 0) };
  };
  const remembering = (table: 'job_attempts' | 'run_events'): Count => {
    const counted = new Map<number, { rows: number; lastId: number }>();
    return async (runId) => {
      const before = counted.get(runId) ?? { rows: 0, lastId: 0 };
      const more = await count(since(table), runId, before.lastId);
      const now = { rows: before.rows + more.rows, lastId: Math.max(before.lastId, more.lastId) };
      counted.delete(runId);
      counted.set(runId, now);
      if (counted.size > MAX_RUNS) counted.delete(counted.keys().next().value!);
      return now.rows;
    };
  };
  if (!executor.shared) return { attempts: remembering('job_attempts'), events: remembering('run_events') };
  return {
    attempts: async (runId) => (await count(KEPT_ATTEMPTS, runId)).rows,
    events: async (runId) => (await count(since('run_events'), runId, 0)).rows,
  };
}
