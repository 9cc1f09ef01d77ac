import type { CoordinationPort } from './coordination-port.ts';
import type { Database } from './database.ts';
import { and, asc, count, eq, gt, inArray } from './drizzle.ts';
import { attemptOf, eventOf, iterationOf } from './row-mapping.ts';
import { iterations, jobAttempts, metricWindows, processHealth, queueDepths, runEvents } from './schema.ts';
import { HAND_OFFS_A_PAGE } from './schema-columns.ts';

type ReadMethods =
  | 'finishedIterations'
  | 'countFinished'
  | 'handedOffIterations'
  | 'readAttempts'
  | 'readIterations'
  | 'readEvents'
  | 'readWindows'
  | 'readHealth'
  | 'readDepths';

export type LedgerReads = Pick<CoordinationPort, ReadMethods>;

/** Page by page, so that those after the last one wanted are not looked into; what has ended is taken away a page at a time. */
const HANDED_OFF = `
select page * ${HAND_OFFS_A_PAGE} + place from handed_off cross join lateral (
  select place from generate_series(0, ${HAND_OFFS_A_PAGE - 1}) place where get_bit(handed_off.iterations, place) = 1
  except
  select iteration - page * ${HAND_OFFS_A_PAGE} from iterations i where i.run_id = $1
    and iteration >= page * ${HAND_OFFS_A_PAGE} and iteration < (page + 1) * ${HAND_OFFS_A_PAGE}
) under_way
where run_id = $1 and page >= $2::int4 / ${HAND_OFFS_A_PAGE} and page * ${HAND_OFFS_A_PAGE} + place > $2::int4
order by page, place limit $3`;

/** Rows of one run, page by page. */
export function createLedgerReads(database: Database): LedgerReads {
  return {
    finishedIterations: async (runId, page) => {
      const rows = await database.ask((db) =>
        db
          .select({ iteration: iterations.iteration })
          .from(iterations)
          .where(and(eq(iterations.runId, runId), gt(iterations.iteration, page.after)))
          .orderBy(asc(iterations.iteration))
          .limit(page.limit),
      );
      return rows.map((row) => row.iteration);
    },

    countFinished: async (runId) => {
      const [row] = await database.ask((db) =>
        db.select({ finished: count() }).from(iterations).where(eq(iterations.runId, runId)),
      );
      return row!.finished;
    },

    readAttempts: async (runId, page) => {
      const rows = await database.ask((db) =>
        db
          .select()
          .from(jobAttempts)
          .where(and(eq(jobAttempts.runId, runId), gt(jobAttempts.id, page.afterId)))
          .orderBy(asc(jobAttempts.id))
          .limit(page.limit),
      );
      return rows.map(attemptOf);
    },

    readIterations: async (runId, page) => {
      const rows = await database.ask((db) =>
        db
          .select()
          .from(iterations)
          .where(and(eq(iterations.runId, runId), gt(iterations.iteration, page.after)))
          .orderBy(asc(iterations.iteration))
          .limit(page.limit),
      );
      return rows.map(iterationOf);
    },

    readEvents: async (runId, page) => {
      const rows = await database.ask((db) =>
        db
          .select()
          .from(runEvents)
          .where(and(eq(runEvents.runId, runId), gt(runEvents.id, page.afterId)))
          .orderBy(asc(runEvents.id))
          .limit(page.limit),
      );
      return rows.map(eventOf);
    },

    readWindows: async (runId, page) => {
      const { runId: run, second, series, processId } = metricWindows;
      return await database.ask((db) => {
        const seconds = db
          .select({ second })
          .from(metricWindows)
          .where(and(eq(run, runId), gt(second, page.afterSecond)))
          .orderBy(asc(second))
          .limit(page.limit);
        return db
          .select()
          .from(metricWindows)
          .where(and(eq(run, runId), inArray(second, seconds)))
          .orderBy(asc(second), asc(series), asc(processId));
      });
    },

    readHealth: async (runId) => {
      return await database.ask((db) =>
        db
          .select()
          .from(processHealth)
          .where(eq(processHealth.runId, runId))
          .orderBy(asc(processHealth.second), asc(processHealth.processId)),
      );
    },

    readDepths: async (runId) => {
      return await database.ask((db) =>
        db
          .select()
          .from(queueDepths)
          .where(eq(queueDepths.runId, runId))
          .orderBy(asc(queueDepths.second), asc(queueDepths.queue)),
      );
    },

    handedOffIterations: async (runId, page) => {
      const rows = await database.query((queries) =>
        queries.query(HANDED_OFF, [runId, page.after, page.limit]),
      );
      return rows.map(([iteration]) => Number(iteration));
    },
  };
}
