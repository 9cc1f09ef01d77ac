import { openingStep } from '../domain/opening-step.ts';
import { nextRunStatus, type RunStatus } from '../domain/run-state.ts';
import type { Step, Template } from '../domain/template.ts';
import type { DeadJob, JobSettlement } from './coordination-port.ts';
import { HANDED_OFF } from './ledger-statements.ts';
import { encodeHandOffs } from './ledger-tables.ts';
import { ITERATION_SUMS, mergeSums, SUMMED_ITERATION_COLUMNS, undone } from './run-sums.ts';
import type { SqlQueries } from './sql-executor.ts';

/**
 * Attempts that are the death of a job that is still dead. The row of one may say that it was to be retried: its worker
 * died before the retry was on the queue, and the attempt, made again, was the job's last. One look at the job of each: a database without statistics
 * of its tables, which PGlite is, would read every job instead. `offset 0` keeps the look-up where it stands.
 */
const DEAD = `
job_attempts a cross join lateral (
  select j.requeues from jobs j
  where j.run_id = a.run_id and j.job_id = a.job_id and j.outcome = 'dead' and j.attempt = a.attempt offset 0
) j
where a.outcome <> 'success'
  and ($1::text is null or a.queue = $1) and ($2::int8 is null or a.run_id = $2)`;

/** The page is cut before the terminal rows are looked up. */
const LIST = `
select a.job_id, a.run_id, a.patient_iteration, a.queue, a.job_type, a.attempt, i.failed_step, a.error_code, a.error,
  a.created_at_ms, a.requeues
from (select a.*, j.requeues from ${DEAD} order by a.id desc limit $3 offset $4) a
left join lateral (
  select i.failed_step from iterations i where i.run_id = a.run_id and i.iteration = a.patient_iteration offset 0
) i on true
order by a.id desc`;

const COUNT = `select count(*) from ${DEAD}`;

export interface DeadJobFilter {
  queue?: string;
  runId?: number;
}

/** Newest first. */
export async function listDeadJobs(
  queries: SqlQueries,
  { queue, runId }: DeadJobFilter,
  { limit, offset }: { limit: number; offset: number },
): Promise<DeadJob[]> {
  const rows = await queries.query(LIST, [queue ?? null, runId ?? null, limit, offset]);
  const dead = rows.map((row) => ({
    jobId: String(row[0]),
    runId: Number(row[1]),
    iteration: Number(row[2]),
    queue: String(row[3]),
    jobType: row[4] as string | null,
    attempts: Number(row[5]),
    failedStep: row[6] === null ? null : Number(row[6]),
    errorCode: String(row[7] ?? 'INTERNAL'),
    error: String(row[8] ?? ''),
    diedAtMs: Number(row[9]),
    requeues: Number(row[10]),
  }));
  const stepsOf = await readSteps(queries, new Set(dead.map((job) => job.runId)));
  return dead.map((job) => {
    const lastStep = job.failedStep ?? Number.POSITIVE_INFINITY;
    return { ...job, metadata: openingStep(stepsOf(job.runId), { ...job, lastStep })?.metadata ?? {} };
  });
}

/** Templates as a whole: `->` refuses one that holds a NUL somewhere. */
const TEMPLATES = 'select id, template from runs where id = any($1::int8[])';

async function readSteps(
  queries: SqlQueries,
  runIds: ReadonlySet<number>,
): Promise<(runId: number) => readonly Step[]> {
  const rows = await queries.query(TEMPLATES, [`{${[...runIds].join(',')}}`]);
  const steps = new Map(rows.map(([id, template]) => [Number(id), (template as Template).steps]));
  return (runId) => steps.get(runId) ?? [];
}

/** Few attempts are failures, and they have an index; without statistics the planner takes them for nearly all. */
const BY_INDEX = 'set local enable_seqscan = off';

export async function countDeadJobs(tx: SqlQueries, { queue, runId }: DeadJobFilter): Promise<number> {
  await tx.query(BY_INDEX);
  const [row] = await tx.query(COUNT, [queue ?? null, runId ?? null]);
  return Number(row![0]);
}

const SETTLEMENT = `
select j.outcome, a.error from jobs j
left join job_attempts a on a.run_id = j.run_id and a.job_id = j.job_id and a.attempt = j.attempt
where j.run_id = $1 and j.job_id = $2 and j.outcome is not null`;

export async function settlementOf(
  queries: SqlQueries,
  runId: number,
  jobId: string,
): Promise<JobSettlement | null> {
  const [row] = await queries.query(SETTLEMENT, [runId, jobId]);
  return row ? { outcome: row[0] as JobSettlement['outcome'], error: row[1] as string | null } : null;
}

export interface ReopenedJobs {
  runId: number;
  /** Array literals of equal length. */
  jobIds: string;
  iterations: string;
}

/** Ids of the jobs that were dead; the others are left as they are. */
const REOPEN = `
update jobs set outcome = null, attempt = null, requeues = requeues + 1
from unnest($2::uuid[], $3::int4[]) as asked (job_id, iteration)
where jobs.run_id = $1 and jobs.job_id = asked.job_id and jobs.outcome = 'dead'
returning asked.iteration`;

const FAILED = `delete from iterations where run_id = $1 and iteration = any($2::int4[]) and outcome = 'failed'`;

const UNDONE = undone(ITERATION_SUMS);
const FORGET =
  `with gone as (${FAILED} returning ${SUMMED_ITERATION_COLUMNS}) ` +
  mergeSums(UNDONE.names, `select run_id, $3::int4, ${UNDONE.values} from gone group by run_id`);

const COUNT_REQUEUED = mergeSums(['requeued', 'jobs_dead'], 'select $1::int8, $2::int4, $3::int8, $4::int8');

const TOTALS_CHANGED = 'delete from run_totals_kept where run_id = $1';

const RUN_REOPENED = `
update runs set status = $2, completed_at_ms = null, runner_id = null, lease_expires_at_ms = null, updated_at_ms = $3
where id = $1`;

/**
 * In a transaction that ends with it: the run is locked from its beginning, so that its end is decided before or after.
 * @param slot of the run's sums
 * @throws {YeeterError} RUN_STATE when the run was cancelled
 */
export async function reopenJobs(
  tx: SqlQueries,
  { runId, jobIds, iterations }: ReopenedJobs,
  slot: number,
  nowMs: number,
): Promise<void> {
  const [run] = await tx.query('select status, completed_at_ms from runs where id = $1 for update', [runId]);
  if (!run) return;
  const status = run[1] === null ? null : nextRunStatus(run[0] as RunStatus, 'reopened');
  const reopened = await tx.query(REOPEN, [runId, jobIds, iterations]);
  if (reopened.length === 0) return;
  const numbers = reopened.map(([iteration]) => Number(iteration));
  await tx.query(FORGET, [runId, `{${numbers.join(',')}}`, slot]);
  const handOffs = encodeHandOffs(numbers.map((iteration) => ({ runId, iteration })));
  await tx.query(HANDED_OFF, handOffs!.columns);
  await tx.query(COUNT_REQUEUED, [runId, slot, reopened.length, -reopened.length]);
  await tx.query(TOTALS_CHANGED, [runId]);
  if (status) await tx.query(RUN_REOPENED, [runId, status, nowMs]);
}
