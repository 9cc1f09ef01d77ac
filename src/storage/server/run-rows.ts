import { asc, count, desc, eq } from 'drizzle-orm';
import { countDeadJobs, listDeadJobs } from '../dead-jobs.ts';
import { attemptOf, eventOf } from '../row-mapping.ts';
import { jobAttempts, runEvents } from '../schema.ts';
import type { ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';

const KEPT_ATTEMPTS = 'select coalesce(sum(attempts), 0) from run_sums where run_id = $1';
const COUNTED_ATTEMPTS = 'select count(*) from job_attempts where run_id = $1';

type RowMethods = 'eventWindow' | 'attemptWindow' | 'deadJobPage';

/** Rows of the ledger by page. */
export function createRunRows({ database }: ServerPartDeps): Pick<ServerPort, RowMethods> {
  const countAttempts = async (runId: number): Promise<number> => {
    const statement = database.executor.shared ? KEPT_ATTEMPTS : COUNTED_ATTEMPTS;
    const [row] = await database.query((queries) => queries.query(statement, [runId]));
    return Number(row![0]);
  };
  return {
    eventWindow: async (runId, { limit, offset, order }) => {
      const ofRun = eq(runEvents.runId, runId);
      const [counted] = await database.ask((db) =>
        db.select({ total: count() }).from(runEvents).where(ofRun),
      );
      const rows = await database.ask((db) =>
        db
          .select()
          .from(runEvents)
          .where(ofRun)
          .orderBy(order === 'asc' ? asc(runEvents.id) : desc(runEvents.id))
          .limit(limit)
          .offset(offset),
      );
      const events = (order === 'asc' ? rows : rows.toReversed()).map(eventOf);
      return { total: counted!.total, events };
    },

    attemptWindow: async (runId, { limit, offset, order }) => {
      const total = await countAttempts(runId);
      const rows = await database.ask((db) =>
        db
          .select()
          .from(jobAttempts)
          .where(eq(jobAttempts.runId, runId))
          .orderBy(order === 'asc' ? asc(jobAttempts.id) : desc(jobAttempts.id))
          .limit(limit)
          .offset(offset),
      );
      return { total, attempts: rows.map(attemptOf) };
    },

    deadJobPage: (queue, page) =>
      database.query(async (queries) => ({
        total: await countDeadJobs(queries, { queue }),
        jobs: await listDeadJobs(queries, { queue }, page),
      })),
  };
}
