import { and, eq } from '../drizzle.ts';
import type { EventStatus } from '../port.ts';
import { eventOf } from '../row-mapping.ts';
import { runEvents } from '../schema.ts';
import type { EventFacts, ServerPort, WorkerThroughput } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';
import { createRecentAnswers } from './recent-answers.ts';

/** One pass over the events, also for the newest failure: looked for from the end, it could be at the beginning. */
const EVENT_COUNTS = `
select step_order, status, count(*), min(timestamp_ms), max(timestamp_ms), max(iteration), max(id)
from run_events where run_id = $1 group by step_order, status order by step_order, status`;

const BY_WORKER = `
select worker_id, count(*), count(*) filter (where outcome = 'success'), sum(duration_us),
  min(created_at_ms), max(created_at_ms)
from job_attempts where run_id = $1 group by worker_id order by worker_id`;

const OVER_AT = 'select completed_at_ms from runs where id = $1';

/** What the rows of one run come to. */
export function createRunFacts({
  database,
  clock,
}: ServerPartDeps): Pick<ServerPort, 'eventFacts' | 'workerThroughput'> {
  const rowsOf = (statement: string, runId: number): Promise<unknown[][]> =>
    database.query((queries) => queries.query(statement, [runId]));
  /** What `find` finds about a run, or has found of late. */
  const remembering = <T>(find: (runId: number) => Promise<T>): ((runId: number) => Promise<T>) => {
    const recent = createRecentAnswers<T>(clock);
    return async (runId) => {
      const [row] = await rowsOf(OVER_AT, runId);
      // A run that is gone has no rows, which is soon found.
      if (!row) return find(runId);
      const run = { id: runId, overAtMs: row[0] === null ? null : Number(row[0]) };
      return (await recent([run], async () => new Map([[runId, await find(runId)]]))).get(runId)!;
    };
  };

  const eventFacts = async (runId: number): Promise<EventFacts> => {
    const groups = (await rowsOf(EVENT_COUNTS, runId)).map((row) => ({
      stepOrder: Number(row[0]),
      status: row[1] as EventStatus,
      count: Number(row[2]),
      firstAtMs: Number(row[3]),
      lastAtMs: Number(row[4]),
      maxIteration: Number(row[5]),
      lastId: Number(row[6]),
    }));
    const lastId = Math.max(
      ...groups.filter(({ status }) => status === 'FAILURE').map((group) => group.lastId),
    );
    const failures = Number.isFinite(lastId)
      ? await database.ask((db) =>
          db
            .select()
            .from(runEvents)
            .where(and(eq(runEvents.runId, runId), eq(runEvents.id, lastId))),
        )
      : [];
    return {
      counts: groups.map(({ stepOrder, status, count }) => ({ stepOrder, status, count })),
      firstAtMs: groups.length > 0 ? Math.min(...groups.map(({ firstAtMs }) => firstAtMs)) : null,
      lastAtMs: groups.length > 0 ? Math.max(...groups.map(({ lastAtMs }) => lastAtMs)) : null,
      maxIteration: Math.max(0, ...groups.map(({ maxIteration }) => maxIteration)),
      lastFailure: failures[0] ? eventOf(failures[0]) : null,
    };
  };
  const workerThroughput = async (runId: number): Promise<WorkerThroughput[]> =>
    (await rowsOf(BY_WORKER, runId)).map((row) => ({
      workerId: String(row[0]),
      jobs: Number(row[1]),
      succeeded: Number(row[2]),
      busyUs: Number(row[3]),
      firstAtMs: Number(row[4]),
      lastAtMs: Number(row[5]),
    }));
  return { eventFacts: remembering(eventFacts), workerThroughput: remembering(workerThroughput) };
}
