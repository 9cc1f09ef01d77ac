import {
  divideEndpoint,
  type EndpointShare,
  type SharedLimits,
  type ShareHolder,
} from '../domain/endpoint-share.ts';
import type { SqlQueries } from './sql-executor.ts';

export interface EndpointAsk {
  /** Host and port of the system under test. */
  address: string;
  /** Who asks: a process, for a run. */
  holder: string;
  limits: SharedLimits;
  /** Connections that it could use now. */
  wanted: number;
  /** Connections that it has open. */
  open: number;
  /** What it is given lapses when it does not ask again within this, milliseconds. */
  validMs: number;
}

export interface ByteAsk {
  runId: number;
  address: string;
  /** Of the whole run. */
  budget: number;
  /** Less than this is of no use. */
  atLeast: number;
  upTo: number;
}

/** Class of the advisory locks on addresses; an arbitrary constant. */
const SHARE_LOCK = 1_984_113;

const LOCK = `select pg_advisory_xact_lock(${SHARE_LOCK}, hashtext($1))`;
const NOW_MS = 'select (extract(epoch from clock_timestamp()) * 1000)::float8';
const FORGET = 'delete from endpoint_shares where address = $1 and expires_at_ms <= $2';
const HOLDERS =
  'select holder, wanted, connections, per_second, turn_ms, since_ms from endpoint_shares where address = $1';
const STORE = `
insert into endpoint_shares (address, holder, wanted, connections, per_second, turn_ms, since_ms, expires_at_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (address, holder) do update set wanted = excluded.wanted, connections = excluded.connections,
  per_second = excluded.per_second, turn_ms = excluded.turn_ms, expires_at_ms = excluded.expires_at_ms`;
const LEAVE = 'delete from endpoint_shares where address = $1 and holder = $2';

/** In a transaction that ends with it; whoever asks for the same address waits. */
export async function shareEndpoint(tx: SqlQueries, ask: EndpointAsk): Promise<EndpointShare> {
  const { address, holder: name, limits, wanted, open, validMs } = ask;
  await tx.query(LOCK, [address]);
  const [now] = await tx.query(NOW_MS);
  const nowMs = Number(now![0]);
  await tx.query(FORGET, [address, nowMs]);
  let mine: ShareHolder | null = null;
  const others: ShareHolder[] = [];
  for (const row of await tx.query(HOLDERS, [address])) {
    const [wanted, connections, perSecond, turnMs, sinceMs] = row.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const stored = { wanted, connections, perSecond, turnMs, sinceMs };
    if (row[0] === name) mine = stored;
    else others.push(stored);
  }
  const { share, holder } = divideEndpoint({ limits, wanted, open, nowMs }, mine, others);
  await tx.query(STORE, [
    ...[address, name, holder.wanted, holder.connections, holder.perSecond],
    ...[holder.turnMs, holder.sinceMs, nowMs + validMs],
  ]);
  return share;
}

export async function leaveEndpoint(queries: SqlQueries, address: string, holder: string): Promise<void> {
  await queries.query(LEAVE, [address, holder]);
}

const BEGIN_BYTES =
  'insert into endpoint_bytes (run_id, address, taken) values ($1, $2, 0) on conflict do nothing';
const TAKE_BYTES = `
update endpoint_bytes set taken = taken + least($5::int8, $3::int8 - taken)
where run_id = $1 and address = $2 and taken + $4::int8 <= $3::int8
returning taken`;
const TAKEN = 'select taken from endpoint_bytes where run_id = $1 and address = $2 for update';
const GIVE_BACK =
  'update endpoint_bytes set taken = greatest(0, taken - $3::int8) where run_id = $1 and address = $2';

/** In a transaction. @returns the bytes taken; 0 when fewer than `atLeast` are left */
export async function takeBytes(tx: SqlQueries, ask: ByteAsk): Promise<number> {
  const { runId, address, budget, atLeast, upTo } = ask;
  await tx.query(BEGIN_BYTES, [runId, address]);
  const [before] = await tx.query(TAKEN, [runId, address]);
  const [after] = await tx.query(TAKE_BYTES, [runId, address, budget, atLeast, upTo]);
  return after ? Number(after[0]) - Number(before![0]) : 0;
}

export async function giveBytesBack(
  queries: SqlQueries,
  runId: number,
  address: string,
  bytes: number,
): Promise<void> {
  await queries.query(GIVE_BACK, [runId, address, bytes]);
}
