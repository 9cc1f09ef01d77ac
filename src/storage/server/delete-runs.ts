import type { ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';

/** Rows of one statement: what waits for it, or shares a thread with it, waits for tens of milliseconds. */
const BATCH = 20_000;

/** Everything that belongs to a run, largest first. */
const TABLES = [
  'job_attempts',
  'jobs',
  'iterations',
  'run_events',
  'metric_windows',
  'process_health',
  'queue_depths',
  'run_sums',
];

const DELETE = `
with gone as (delete from runs where id = any($1::int8[]) and completed_at_ms is not null returning id),
unkept as (delete from run_totals_kept where run_id in (select id from gone))
insert into deleted_runs (run_id) select id from gone`;
const DELETED = 'select run_id from deleted_runs where run_id = any($1::int8[]) order by run_id';
const WITH_ROWS = 'select run_id from deleted_runs order by run_id';
const WITHOUT_ROWS = 'delete from deleted_runs where run_id = $1';

const purge = (table: string): string => `
with gone as (
  delete from ${table} where ctid = any(array(select ctid from ${table} where run_id = $1 limit ${BATCH})) returning 1
)
select count(*) from gone`;

/**
 * A run is gone at once and its rows follow in batches; until they have, it is noted, so that the next call finishes
 * what a killed process has left.
 */
export function createRunDeletion({ database }: ServerPartDeps): Pick<ServerPort, 'deleteRuns'> {
  const rows = (statement: string, ...parameters: (string | number)[]): Promise<unknown[][]> =>
    database.query((queries) => queries.query(statement, parameters));

  const purgeRows = async (runId: number): Promise<void> => {
    for (const table of TABLES) {
      const statement = purge(table);
      for (let deleted = BATCH; deleted === BATCH; ) deleted = Number((await rows(statement, runId))[0]![0]);
    }
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
      for (const [runId] of await rows(WITH_ROWS)) await purgeRows(Number(runId));
      return deleted.map(([runId]) => Number(runId));
    },
  };
}
