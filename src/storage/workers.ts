import type {
  ControlState,
  QueueMode,
  StoredWorker,
  WorkerHeartbeat,
  WorkerState,
} from './coordination-port.ts';
import type { SqlQueries } from './sql-executor.ts';

/** What processes tell of themselves, and what they have to know of each other. */

const NOW_MS = '(extract(epoch from clock_timestamp()) * 1000)';
const COLUMNS = 'worker_id, host, pid, version, queues, concurrency, busy, jobs, state, held, started_at_ms';

const BEAT = `
insert into workers (${COLUMNS}, last_seen_at_ms)
values ($1, $2, $3, $4, $5::json, $6, $7, $8, $9, $10::json, $11, ${NOW_MS}::int8)
on conflict (worker_id) do update set
  queues = excluded.queues, concurrency = excluded.concurrency, busy = excluded.busy, jobs = excluded.jobs,
  state = excluded.state, held = excluded.held, last_seen_at_ms = excluded.last_seen_at_ms
returning ${NOW_MS}::float8`;

/** Each life of a worker has an id of its own, so that old ones would gather. */
const FORGET = `delete from workers where last_seen_at_ms < ${NOW_MS} - $1`;
const REMEMBERED_MS = 7 * 24 * 3600 * 1000;

const LIST = `
select ${COLUMNS}, last_seen_at_ms from workers where last_seen_at_ms >= $1 order by started_at_ms, worker_id`;

/** What a killed worker had is counted until then, with its copies on the queue: rather too many than too few. */
const HEARD_OF_MS = 15_000;
const HELD = `
select h.queue, sum(h.jobs::int8) from workers w cross join json_each_text(w.held) as h (queue, jobs)
where w.last_seen_at_ms >= ${NOW_MS} - $1 group by h.queue having sum(h.jobs::int8) > 0`;

const CONTROL = `
select 'cancelled', id::text from runs where completed_at_ms is null and cancel_requested
union all
select mode, queue from queue_modes
union all
select distinct 'active', unnest(queues) from runs where completed_at_ms is null`;

const SET_MODE =
  'insert into queue_modes (queue, mode) values ($1, $2) on conflict (queue) do update set mode = excluded.mode';

/** @returns the database's wall clock, milliseconds since the epoch, with a fraction */
export async function beat(queries: SqlQueries, worker: WorkerHeartbeat): Promise<number> {
  if (worker.state === 'starting') await queries.query(FORGET, [REMEMBERED_MS]);
  const { workerId, host, pid, version, queues, concurrency, busy, jobs, state, held, startedAtMs } = worker;
  const values = [
    workerId,
    host,
    pid,
    version,
    JSON.stringify(queues),
    concurrency,
    busy,
    jobs,
    state,
    JSON.stringify(held),
    startedAtMs,
  ];
  const [row] = await queries.query(BEAT, values);
  return Number(row![0]);
}

export async function listWorkers(queries: SqlQueries, seenSinceMs: number): Promise<StoredWorker[]> {
  const rows = await queries.query(LIST, [seenSinceMs]);
  return rows.map((row) => ({
    workerId: String(row[0]),
    host: String(row[1]),
    pid: Number(row[2]),
    version: String(row[3]),
    queues: row[4] as string[],
    concurrency: Number(row[5]),
    busy: Number(row[6]),
    jobs: Number(row[7]),
    state: row[8] as WorkerState,
    held: row[9] as Record<string, number>,
    startedAtMs: Number(row[10]),
    lastSeenAtMs: Number(row[11]),
  }));
}

export async function heldJobs(queries: SqlQueries): Promise<Record<string, number>> {
  const rows = await queries.query(HELD, [HEARD_OF_MS]);
  return Object.fromEntries(rows.map(([queue, jobs]) => [String(queue), Number(jobs)]));
}

export async function readControl(queries: SqlQueries): Promise<ControlState> {
  const cancelledRuns: number[] = [];
  const queueModes: Record<string, Exclude<QueueMode, 'open'>> = {};
  const activeQueues: string[] = [];
  for (const [kind, what] of await queries.query(CONTROL)) {
    if (kind === 'cancelled') cancelledRuns.push(Number(what));
    else if (kind === 'active') activeQueues.push(String(what));
    else queueModes[String(what)] = kind as Exclude<QueueMode, 'open'>;
  }
  return { cancelledRuns, queueModes, activeQueues };
}

export async function setQueueMode(queries: SqlQueries, queue: string, mode: QueueMode): Promise<void> {
  if (mode === 'open') await queries.query('delete from queue_modes where queue = $1', [queue]);
  else await queries.query(SET_MODE, [queue, mode]);
}

export async function isNamedByTemplate(queries: SqlQueries, queue: string): Promise<boolean> {
  const rows = await queries.query('select 1 from template_steps where queue = $1 limit 1', [queue]);
  return rows.length > 0;
}
