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

/**
 * The key that ends the batch after key $2; none when less is left. Rows are compared as the index has them: of two
 * conditions the planner would expect so few rows that it reads and sorts all of them.
 */
const batchEnd = ({ table, key, type }: RunTable): string => `
select ${key} from ${table}
where (run_id, ${key}) > ($1::int8, $2::${type}) and (run_id, ${key}) < ($1::int8 + 1, $3::${type})
order by run_id, ${key} limit 1 offset ${BATCH - 1}`;
const deleteAfter = ({ table, key, type }: RunTable): string =>
  `delete from ${table} where run_id = $1 and ${key} > $2::${type}`;
const deleteBatch = (from: RunTable): string => `${deleteAfter(from)} and ${from.key} <= $3::${from.type}`;

/**
 * A run is gone at once and its rows follow in batches; until they have, it is noted, so that the next call finishes
 * what a killed process has left.
 */
export function createRunDeletion({ database }: ServerPartDeps): Pick<ServerPort, 'deleteRuns'> {
  const rows = (statement: string, ...parameters: (string | number)[]): Promise<unknown[][]> =>
    database.query((queries) => queries.query(statement, parameters));

  const purgeTable = async (from: RunTable, runId: number): Promise<void> => {
    const lowest = LOWEST[from.type];
    for (let after = lowest; ; ) {
      const [end] = await rows(batchEnd(from), runId, after, lowest);
      if (!end) {
        await rows(deleteAfter(from), runId, after);
        return;
      }
      const upTo = String(end[0]);
      await rows(deleteBatch(from), runId, after, upTo);
      after = upTo;
    }
  };
  const purge = async (runId: number): Promise<void> => {
    for (const from of TABLES) await purgeTable(from, runId);
    await rows(WITHOUT_ROWS, runId);
  };
  return {
    deleteRuns: async (runIds) => {
      if (runIds.length === 0) return [];
      const ids = `{${runIds.join(',')}}`;
      const deleted = await database.change(async (_, tx) => {
        await tx.query(DELETE, [ids]);
        return await tx.query(DELETED, [ids]);
      });
      for (const [runId] of await rows(WITH_ROWS)) await purge(Number(runId));
      return deleted.map(([runId]) => Number(runId));
    },
  };
}
