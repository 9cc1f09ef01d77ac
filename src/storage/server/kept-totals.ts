import type { RunTotals } from '../../metrics/totals.ts';
import { readTotals } from '../run-totals.ts';
import type { ServerPort } from '../server-port.ts';
import type { ServerPartDeps } from './part.ts';

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
select id, $2 from runs where id = $1 and completed_at_ms = $3 for share
on conflict (run_id) do nothing`;

export function createKeptTotals({ database, clock }: ServerPartDeps): Pick<ServerPort, 'totalsOfRuns'> {
  const { executor } = database;

  const addUp = async (
    runIds: readonly number[],
    overSince: ReadonlyMap<number, number | null>,
  ): Promise<RunTotals[]> => {
    const settledBefore = clock.nowMs() - SETTLED_AFTER_MS;
    const totals = await database.change((_, tx) => readTotals(tx, runIds, executor.shared));
    for (const ofRun of totals) {
      const overAtMs = overSince.get(ofRun.runId) ?? null;
      if (overAtMs === null || overAtMs > settledBefore) continue;
      await database.query((queries) => queries.query(KEEP, [ofRun.runId, JSON.stringify(ofRun), overAtMs]));
    }
    return totals;
  };
  return {
    totalsOfRuns: async (runIds) => {
      const rows = await database.query((queries) => queries.query(RUNS, [`{${runIds.join(',')}}`]));
      const kept = rows.flatMap(([, , totals]) => (totals === null ? [] : [JSON.parse(String(totals))]));
      const overSince = new Map(
        rows.flatMap(([id, overAtMs, totals]) =>
          totals === null ? [[Number(id), overAtMs === null ? null : Number(overAtMs)] as const] : [],
        ),
      );
      const open = [...overSince.keys()];
      const all: RunTotals[] = kept;
      for (let i = 0; i < open.length; i += BATCH)
        all.push(...(await addUp(open.slice(i, i + BATCH), overSince)));
      return all;
    },
  };
}
