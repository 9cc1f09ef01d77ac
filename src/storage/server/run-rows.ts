import { countDeadJobs, listDeadJobs } from '../dead-jobs.ts';
import { asc, desc, eq } from '../drizzle.ts';
import { attemptOf, eventOf } from '../row-mapping.ts';
import { jobAttempts, runEvents } from '../schema.ts';
import type { ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';
import { createRowCounts } from './row-counts.ts';

type RowMethods = 'eventWindow' | 'attemptWindow' | 'deadJobPage';

/** Rows of the ledger by page. */
export function createRunRows({ database }: ServerPartDeps): Pick<ServerPort, RowMethods> {
  const counts = createRowCounts(database);
  return {
    eventWindow: async (runId, { limit, offset, order }) => {
      const ofRun = eq(runEvents.runId, runId);
      const total = await counts.events(runId);
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
      return { total, events };
    },

    attemptWindow: async (runId, { limit, offset, order }) => {
      const total = await counts.attempts(runId);
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
      database.change(async (_, tx) => ({
        total: await countDeadJobs(tx, { queue }),
        jobs: await listDeadJobs(tx, { queue }, page),
      })),
  };
}
