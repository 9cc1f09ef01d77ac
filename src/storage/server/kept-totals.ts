import type { RunTotals } from '../../metrics/totals.ts';
import { readTotals } from '../run-totals.ts';
import type { ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';
import { type AskedRun, createRecentAnswers, SETTLED_AFTER_MS } from './recent-answers.ts';

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
  const recent = createRecentAnswers<RunTotals>(clock);

  const addUp = async (runs: readonly AskedRun[]): Promise<ReadonlyMap<number, RunTotals>> => {
    const settledBefore = clock.nowMs() - SETTLED_AFTER_MS;
    const ids = runs.map(({ id }) => id);
    const all = await database.change((_, tx) => readTotals(tx, ids));
    const totals = new Map(all.map((of) => [of.runId, of]));
    const settled = runs.flatMap(({ id, overAtMs }) => {
      const ofRun = totals.get(id);
      if (!ofRun || overAtMs === null || overAtMs > settledBefore) return [];
      return [{ run_id: id, over_at_ms: overAtMs, totals: JSON.stringify(ofRun) }];
    });
    if (settled.length > 0) await database.query((queries) => queries.query(KEEP, [JSON.stringify(settled)]));
    return totals;
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
      for (let i = 0; i < open.length; i += BATCH)
        all.push(...(await recent(open.slice(i, i + BATCH), addUp)).values());
      return all;
    },
  };
}
