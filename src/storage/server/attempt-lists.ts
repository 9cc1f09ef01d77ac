import type { Drizzle } from '../database.ts';
import { and, desc, eq, exists, inArray, lt, type SQL, sql } from '../drizzle.ts';
import type { StoredAttempt } from '../port.ts';
import { attemptOf } from '../row-mapping.ts';
import { jobAttempts, runs } from '../schema.ts';
import type { AttemptFilter, ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';

/*
 * Newest first over all runs, without an index on the id alone, which would cost every writer a tenth of its time.
 * Attempts of one run, and those that failed, have an index in their order. The rest is merged from runs, of which each
 * tells its newest attempt.
 */

const { runId, queue, outcome, id } = jobAttempts;

/** Runs whose newest attempts are read at a time. */
const RUNS_PAGE = 1_000;
/** Of those, how many are read first; mostly one has all that is wanted. */
const FIRST_RUNS = 8;

/**
 * Conditions on an attempt itself. In `coalesce` the planner does not guess that few rows satisfy them, which would
 * make it read a whole run and sort it rather than go from its end; bare and without a parameter, it sees the index of
 * those that failed.
 */
function wanted(filter: AttemptFilter): SQL | undefined {
  return and(
    filter.runId === undefined ? undefined : eq(runId, filter.runId),
    filter.queue === undefined ? undefined : sql`coalesce(${queue} = ${filter.queue}, false)`,
    filter.success === undefined
      ? undefined
      : filter.success
        ? sql`coalesce(${outcome} = 'success', false)`
        : sql`${outcome} <> 'success'`,
    filter.beforeId === undefined ? undefined : lt(id, filter.beforeId),
  );
}

const ofUser = (userId: number | undefined): SQL | undefined =>
  userId === undefined ? undefined : eq(runs.userId, userId);

/** What a run has of a queue is nothing when its template does not name it. */
const withQueue = (name: string | undefined): SQL | undefined =>
  name === undefined ? undefined : sql`(${runs.queues} is null or ${name} = any(${runs.queues}))`;

async function inOrder(db: Drizzle, filter: AttemptFilter): Promise<StoredAttempt[]> {
  const own = ofUser(filter.userId);
  const owned = db
    .select({ one: sql`1` })
    .from(runs)
    .where(and(eq(runs.id, runId), own));
  const rows = await db
    .select()
    .from(jobAttempts)
    .where(and(own && exists(owned), wanted(filter)))
    .orderBy(desc(id))
    .limit(filter.limit);
  return rows.map(attemptOf);
}

interface RunWithNewest {
  runId: number;
  /** Id of an attempt, wanted or not. */
  newest: number;
}

/** Runs that may have what is wanted, by their newest attempt below `belowId`. */
async function runsByNewest(
  db: Drizzle,
  filter: AttemptFilter,
  belowId: number | undefined,
): Promise<RunWithNewest[]> {
  const below = (of: SQL) => (belowId === undefined ? sql`true` : sql`${of} < ${belowId}`);
  const before = filter.beforeId === undefined ? sql`true` : lt(id, filter.beforeId);
  const last = sql`(select ${id} from ${jobAttempts} where ${runId} = ${runs.id} and ${before} order by ${id} desc limit 1)`;
  const newest = sql<number>`last.id`.mapWith(Number);
  return await db
    .select({ runId: runs.id, newest })
    .from(runs)
    .crossJoinLateral(sql`${last} last`)
    .where(and(ofUser(filter.userId), withQueue(filter.queue), below(newest)))
    .orderBy(desc(newest))
    .limit(RUNS_PAGE);
}

/** The newest of each run, and of all of them together. */
async function newestOf(
  db: Drizzle,
  runIds: readonly number[],
  filter: AttemptFilter,
): Promise<StoredAttempt[]> {
  const matching = wanted(filter) ?? sql`true`;
  const merged = sql`(
    select ${runId}, ${id} from ${jobAttempts}
    where ${runId} = ${runs.id} and ${matching} order by ${id} desc limit ${filter.limit}
  ) merged`;
  const picked = db
    .select({ runId: sql`merged.run_id`, id: sql`merged.id` })
    .from(runs)
    .crossJoinLateral(merged)
    .where(inArray(runs.id, [...runIds]))
    .orderBy(sql`merged.id desc`)
    .limit(filter.limit);
  const rows = await db
    .select()
    .from(jobAttempts)
    .where(sql`(${runId}, ${id}) in ${picked}`)
    .orderBy(desc(id))
    .limit(filter.limit);
  return rows.map(attemptOf);
}

/** Run after run, until those that are left are older than what there is. */
async function mergedFromRuns(db: Drizzle, filter: AttemptFilter): Promise<StoredAttempt[]> {
  const { limit } = filter;
  let merged: StoredAttempt[] = [];
  const isEnough = (newest: number): boolean => merged.length === limit && merged.at(-1)!.id > newest;
  for (let belowId: number | undefined; ; ) {
    const page = await runsByNewest(db, filter, belowId);
    for (let first = 0, size = FIRST_RUNS; first < page.length; first += size, size *= 2) {
      if (isEnough(page[first]!.newest)) return merged;
      const group = page.slice(first, first + size).map((run) => run.runId);
      merged = [...merged, ...(await newestOf(db, group, filter))]
        .toSorted((a, b) => b.id - a.id)
        .slice(0, limit);
    }
    if (page.length < RUNS_PAGE) return merged;
    belowId = page.at(-1)!.newest;
  }
}

export function createAttemptLists({ database }: ServerPartDeps): Pick<ServerPort, 'listAttempts'> {
  return {
    listAttempts: (filter) =>
      database.ask((db) =>
        filter.runId !== undefined || filter.success === false
          ? inOrder(db, filter)
          : mergedFromRuns(db, filter),
      ),
  };
}
