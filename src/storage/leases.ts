import { YeeterError } from '../lib/errors.ts';
import type { SqlQueries } from './sql-executor.ts';

/*
 * A runner holds a run by a lease that ends by the database's clock, so that runners need not agree on the time.
 * Whoever takes a run raises its fence; what an earlier holder still writes carries an older one and is refused.
 */

const NOW_MS = '(extract(epoch from clock_timestamp()) * 1000)::int8';
const NOT_OVER = 'completed_at_ms is null';

/** The oldest run that nobody holds; runs that are being looked at by others are passed over. */
const CLAIM = `
update runs set fence = fence + 1, runner_id = $1, lease_expires_at_ms = ${NOW_MS} + $2
where id = (
  select id from runs where ${NOT_OVER} and coalesce(lease_expires_at_ms, 0) <= ${NOW_MS}
  order by id limit 1 for update skip locked
)
returning id, fence`;

const RENEW = `
update runs set lease_expires_at_ms = ${NOW_MS} + $3 where id = $1 and fence = $2 and ${NOT_OVER} returning id`;

const RELEASE = 'update runs set lease_expires_at_ms = null, runner_id = null where id = $1 and fence = $2';

const FORGET = `update runs set lease_expires_at_ms = null, runner_id = null where ${NOT_OVER}`;

const SET_STARTED = `
update runs set started_iterations = $3, updated_at_ms = ${NOW_MS} where id = $1 and fence = $2 returning id`;

export async function claimLease(
  queries: SqlQueries,
  runnerId: string,
  leaseMs: number,
): Promise<{ runId: number; fence: number } | null> {
  const [row] = await queries.query(CLAIM, [runnerId, leaseMs]);
  return row ? { runId: Number(row[0]), fence: Number(row[1]) } : null;
}

export async function renewLease(
  queries: SqlQueries,
  runId: number,
  fence: number,
  leaseMs: number,
): Promise<boolean> {
  return (await queries.query(RENEW, [runId, fence, leaseMs])).length > 0;
}

export async function releaseLease(queries: SqlQueries, runId: number, fence: number): Promise<void> {
  await queries.query(RELEASE, [runId, fence]);
}

export async function forgetLeases(queries: SqlQueries): Promise<void> {
  await queries.query(FORGET);
}

export async function setStarted(
  queries: SqlQueries,
  runId: number,
  fence: number,
  startedIterations: number,
): Promise<boolean> {
  return (await queries.query(SET_STARTED, [runId, fence, startedIterations])).length > 0;
}

/** @throws {YeeterError} RUN_FENCED */
export function assertFence(runId: number, current: number, given: number | undefined): void {
  if (given === undefined || given === current) return;
  const message = `run ${runId}: another runner has taken it over (fence ${current}, ours is ${given})`;
  throw new YeeterError('RUN_FENCED', message);
}
