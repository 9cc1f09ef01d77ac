import {
  ATTEMPT_SUMS,
  aggregates,
  ITERATION_SUMS,
  JOB_SUMS,
  namesOf,
  type Sum,
  storedSums,
} from '../../src/storage/run-sums.ts';
import type { SqlExecutor } from '../../src/storage/sql-executor.ts';

/** Those that were reopened are still to be settled anew, and count. */
const JOBS = JOB_SUMS.map((sum) => (sum.name === 'jobs' ? { ...sum, of: 'count(*)' } : sum));

const TABLES: readonly [rows: string, sums: readonly Sum[]][] = [
  ['job_attempts', ATTEMPT_SUMS],
  [
    '(select j.*, a.remaining_steps from jobs j left join job_attempts a using (run_id, job_id, attempt)) as settled',
    JOBS,
  ],
  ['iterations', ITERATION_SUMS],
];

/** Names of the sums that cannot be taken back. */
export const EXTREMES = namesOf(TABLES.flatMap(([, sums]) => sums).filter(({ merge }) => merge !== 'add'));

/** What is kept of the sums of a run, and what its rows add up to now, by their names. */
export async function sumsOf(
  executor: SqlExecutor,
  runId: number,
): Promise<{ kept: Record<string, unknown>; added: Record<string, unknown> }> {
  const named = (names: readonly string[], values: readonly unknown[]): Record<string, unknown> =>
    Object.fromEntries(names.map((name, i) => [name, values[i] === null ? null : Number(values[i])]));
  const all = { kept: {}, added: {} };
  for (const [rows, sums] of TABLES) {
    const names = namesOf(sums);
    const [added] = await executor.query(`select ${aggregates(sums)} from ${rows} where run_id = $1`, [
      runId,
    ]);
    const [kept] = await executor.query(storedSums(names), [`{${runId}}`]);
    Object.assign(all.added, named(names, added!));
    Object.assign(
      all.kept,
      named(names, kept ? kept.slice(1) : added!.map((value) => (value === null ? null : 0))),
    );
  }
  return all;
}
