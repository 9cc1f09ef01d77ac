import { createSemaphore } from '../../lib/semaphore.ts';
import type { RunTotals } from '../../metrics/totals.ts';
import { readTotals } from '../run-totals.ts';
import type { ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';
import { type AskedRun, createRecentTotals } from './recent-totals.ts';

/** Attempts that were under way when a run ended have their rows by then. */
const SETTLED_AFTER_MS = 60_000;
/** Runs that are added up in one transaction. */
const BATCH = 100;

const RUNS = `
select r.id, r.completed_at_ms, k.totals from runs r left join run_totals_kept k on k.run_id = r.id
where r.id = any($1::int8[])`;

/**
 * Only when the run is still the one that was added up: a reopening locks the run, and whichever comes second sees
 * what the first has done.
 */
const KEEP = `
insert into run_totals_kept (run_id, totals)
select r.id, added.totals from json_to_recordset($1::json) added (run_id int8, over_at_ms int8, totals text)
join runs r on r.id = added.run_id and r.completed_at_ms = added.over_at_ms
order by r.id for share of r
on conflict (run_id) do nothing`;

export function createKeptTotals({ database, clock }: ServerPartDeps): Pick<ServerPort, 'totalsOfRuns'> {
  const { executor } = database;
  const recent = createRecentTotals(clock);
  /** Who waits for totals that somebody else adds up finds them remembered, if that took long. */
  const adding = createSemaphore(1);

  const keep = async (runs: readonly AskedRun[], all: readonly RunTotals[], settledBefore: number) => {
    const overAt = new Map(runs.map(({ id, overAtMs }) => [id, overAtMs]));
    const settled = all.flatMap((totals) => {
      const overAtMs = overAt.get(totals.runId) ?? null;
      if (overAtMs === null || overAtMs > settledBefore) return [];
      return [{ run_id: totals.runId, over_at_ms: overAtMs, totals: JSON.stringify(totals) }];
    });
    if (settled.length > 0) await database.query((queries) => queries.query(KEEP, [JSON.stringify(settled)]));
  };
  const addUp = async (asked: readonly AskedRun[]): Promise<RunTotals[]> => {
    await adding.acquire();
    try {
      const remembered = asked.flatMap((run) => recent.of(run) ?? []);
      const known = new Set(remembered.map(({ runId }) => runId));
      const runs = asked.filter(({ id }) => !known.has(id));
      if (runs.length === 0) return remembered;
      const settledBefore = clock.nowMs() - SETTLED_AFTER_MS;
      const ids = runs.map(({ id }) => id);
      const added = await recent.measured(runs, () =>
        database.change((_, tx) => readTotals(tx, ids, executor.shared)),
      );
      await keep(runs, added, settledBefore);
      return [...remembered, ...added];
    } finally {
      adding.release();
    }
  };
  return {
    totalsOfRuns: async (runIds) => {
      const rows = await database.query((queries) => queries.query(RUNS, [`{${runIds.join(',')}}`]));
      const all: RunTotals[] = [];
      const open: AskedRun[] = [];
      for (const [id, overAtMs, totals] of rows)
        if (totals === null)
          open.push({ id: Number(id), overAtMs: overAtMs === null ? null : Number(overAtMs) });
        else all.push(JSON.parse(String(totals)));
      for (let i = 0; i < open.length; i += BATCH) all.push(...(await addUp(open.slice(i, i + BATCH))));
      return all;
    },
  };
}
