import { and, desc, eq, exists, lt, type SQL, sql } from 'drizzle-orm';
import { attemptOf } from '../row-mapping.ts';
import { jobAttempts, runs } from '../schema.ts';
import type { AttemptFilter, ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';

/*
 * Newest first over all runs, without an index on the id alone, which would cost every writer a tenth of its time.
 * Attempts of one run, and those that failed, have an index in their order. For the rest, each run tells the newest of
 * its attempts that are wanted; the runs of which those are the newest hold all that is wanted, and are merged.
 */

const { runId, queue, outcome, id } = jobAttempts;

/** Conditions on an attempt itself. */
function wanted(filter: AttemptFilter): SQL | undefined {
  return and(
    filter.runId === undefined ? undefined : eq(runId, filter.runId),
    filter.queue === undefined ? undefined : eq(queue, filter.queue),
    // Written out and not as a parameter: an index holds what satisfies it.
    filter.success === undefined
      ? undefined
      : filter.success
        ? eq(outcome, 'success')
        : sql`${outcome} <> 'success'`,
    filter.beforeId === undefined ? undefined : lt(id, filter.beforeId),
  );
}

function ofUser(userId: number | undefined): SQL {
  return userId === undefined ? sql`true` : sql`${runs.userId} = ${userId}`;
}

/** (run, id) of the newest `limit` of all runs. */
function newestOfRuns(filter: AttemptFilter): SQL {
  const { limit, userId } = filter;
  const matching = wanted(filter) ?? sql`true`;
  return sql`
    with newest as materialized (
      select ${runs.id} as run_id, last.id from ${runs} cross join lateral (
        select ${id} from ${jobAttempts} where ${runId} = ${runs.id} and ${matching} order by ${id} desc limit 1
      ) last
      where ${ofUser(userId)} order by last.id desc limit ${limit}
    ), lowest as materialized (
      select case when count(*) = ${limit} then min(id) else 0 end as floor from newest
    )
    select merged.run_id, merged.id from newest cross join lateral (
      select ${runId}, ${id} from ${jobAttempts}
      where ${runId} = newest.run_id and ${id} >= (select floor from lowest) and ${matching}
      order by ${id} desc limit ${limit}
    ) merged
    order by merged.id desc limit ${limit}`;
}

export function createAttemptLists({ database }: ServerPartDeps): Pick<ServerPort, 'listAttempts'> {
  return {
    listAttempts: async (filter) => {
      const inOrder = filter.runId !== undefined || filter.success === false;
      const rows = await database.ask((db) => {
        const owned = db
          .select({ one: sql`1` })
          .from(runs)
          .where(and(eq(runs.id, runId), ofUser(filter.userId)));
        const where = inOrder
          ? and(filter.userId === undefined ? undefined : exists(owned), wanted(filter))
          : sql`(${runId}, ${id}) in (${newestOfRuns(filter)})`;
        return db.select().from(jobAttempts).where(where).orderBy(desc(id)).limit(filter.limit);
      });
      return rows.map(attemptOf);
    },
  };
}
