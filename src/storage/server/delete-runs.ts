import type { ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';

/** Rows of one statement: what waits for it, or shares a thread with it, waits for about a tenth of a second. */
const BATCH = 5_000;

interface RunTable {
  table: string;
  /** Second column of an index that begins with the run. */
  key: string;
  type: 'int8' | 'uuid';
}

const byNumber = (table: string, key: string): RunTable => ({ table, key, type: 'int8' });

/** Everything that belongs to a run. */
const TABLES: readonly RunTable[] = [
  byNumber('job_attempts', 'id'),
  { table: 'jobs', key: 'job_id', type: 'uuid' },
  byNumber('iterations', 'iteration'),
  byNumber('run_events', 'id'),
  byNumber('metric_windows', 'second'),
  byNumber('process_health', 'second'),
  byNumber('queue_depths', 'second'),
  byNumber('run_sums', 'slot'),
  byNumber('handed_off', 'page'),
];
/** Below every key. */
const LOWEST = { int8: '-1', uuid: '00000000-0000-0000-0000-000000000000' };

const DELETE = `
with gone as (delete from runs where id = any($1::int8[]) and completed_at_ms is not null returning id),
unkept as (delete from run_totals_kept where run_id in (select id from gone))
insert into deleted_runs (run_id) select id from gone`;
const DELETED = 'select run_id from deleted_runs where run_id = any($1::int8[]) order by run_id';
const WITH_ROWS = 'select run_id from deleted_runs order by run_id';
const WITHOUT_ROWS = 'delete from deleted_runs where run_id = $1';

/** Without statistics the planner would read and sort a whole run for a batch of it, rather than go along the index. */
const ALONG_INDEX = ['set local enable_sort = off', 'set local enable_incremental_sort = off'];

/** The key that ends the batch after key $2; none when less is left. */
const batchEnd = ({ table, key, type }: RunTable): string =>
  `select ${key} from ${table} where run_id = $1 and ${key} > $2::${type} order by ${key} limit 1 offset ${BATCH - 1}`;
const deleteAfter = ({ table, key, type }: RunTable): string =>
  `delete from ${table} where run_id = $1 and ${key} > $2::${type}`;
const deleteBatch = (from: RunTable): string => `${deleteAfter(from)} and ${from.key} <= $3::${from.type}`;

const UNDER_WAY = 'select 1 from runs where completed_at_ms is null limit 1';

/**
 * A run is gone at once and its rows follow in batches; until they have, it is noted, so that the next call finishes
 * what a killed process has left. A server's own processes reuse the room of deleted rows; PGlite has none of those, so
 * that it is told to, while no run waits for its ledger.
 */
export function createRunDeletion({ database }: ServerPartDeps): Pick<ServerPort, 'deleteRuns'> {
  const rows = (statement: string, ...parameters: (string | number)[]): Promise<unknown[][]> =>
    database.query((queries) => queries.query(statement, parameters));

  /** @returns the key up to which rows are deleted; null when all are */
  const deleteSome = (from: RunTable, runId: number, after: string): Promise<string | null> =>
    database.change(async (_, tx) => {
      for (const setting of ALONG_INDEX) await tx.query(setting);
      const [end] = await tx.query(batchEnd(from), [runId, after]);
      const upTo = end ? String(end[0]) : null;
      if (upTo === null) await tx.query(deleteAfter(from), [runId, after]);
      else await tx.query(deleteBatch(from), [runId, after, upTo]);
      return upTo;
    });
  /** @returns whether a batch or more was deleted */
  const purgeTable = async (from: RunTable, runId: number): Promise<boolean> => {
    const lowest = LOWEST[from.type];
    for (let after = lowest; ; ) {
      const upTo = await deleteSome(from, runId, after);
      if (upTo === null) return after !== lowest;
      after = upTo;
    }
  };
  const purge = async (runIds: readonly number[]): Promise<void> => {
    const emptied = new Set<string>();
    for (const runId of runIds) {
      for (const from of TABLES) if (await purgeTable(from, runId)) emptied.add(from.table);
      await rows(WITHOUT_ROWS, runId);
    }
    if (database.executor.shared) return;
    for (const table of emptied) if ((await rows(UNDER_WAY)).length === 0) await rows(`vacuum ${table}`);
  };
  return {
    deleteRuns: async (runIds) => {
      if (runIds.length === 0) return [];
      const ids = `{${runIds.join(',')}}`;
      const deleted = await database.change(async (_, tx) => {
        await tx.query(DELETE, [ids]);
        return await tx.query(DELETED, [ids]);
      });
      await purge((await rows(WITH_ROWS)).map(([runId]) => Number(runId)));
      return deleted.map(([runId]) => Number(runId));
    },
  };
}
