import { YeeterError } from '../lib/errors.ts';
import { addUp, namesOf, type Sum, type SumValue } from './run-sums.ts';
import type { HAND_OFFS_A_PAGE } from './schema-columns.ts';

/*
 * Ledger rows go in as one array a column (`unnest`), each written here as a PostgreSQL array literal. The literals
 * are also what crosses from the engine's thread to the storage thread: forty strings are copied faster than a
 * thousand objects are cloned, and the database takes them as they are.
 */

type ColumnType =
  | 'int4'
  | 'int8'
  | 'float8'
  | 'bool'
  | `bit(${typeof HAND_OFFS_A_PAGE})`
  | 'uuid'
  | 'text'
  | 'text[]';
type Value = string | number | boolean | null | readonly string[];

export interface LedgerColumn<Row> {
  name: string;
  type: ColumnType;
  read(row: Row): Value;
}

/** Rows of one table, a literal a column, and how many of them each run has. */
export interface EncodedRows {
  columns: string[];
  perRun: [runId: number, count: number][];
  /** What they add up to, where that is kept. */
  sums: RowSums;
}

/** By run. */
export type RowSums = ReadonlyMap<number, readonly SumValue[]>;

/** Text that came from elsewhere, for example a peer's answer, is cut to this many characters. */
const MAX_TEXT = 4_000;

const SPECIAL = /["\\\0]/;
const ESCAPES = /["\\]/g;
const NUL = /\0/g;

/** PostgreSQL's text cannot hold NUL, which a peer's answer may. */
function quote(text: string): string {
  return SPECIAL.test(text) ? `"${text.replace(NUL, '\ufffd').replace(ESCAPES, '\\$&')}"` : `"${text}"`;
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
}

function wholeNumber(value: number, column: string): string {
  if (!Number.isFinite(value))
    throw new YeeterError('INTERNAL', `ledger column ${column}: ${value} is no number`);
  return String(Math.round(value));
}

function encodeValue(value: NonNullable<Value>, { name, type }: LedgerColumn<never>): string {
  if (typeof value === 'number')
    return type === 'int4' || type === 'int8' ? wholeNumber(value, name) : String(value);
  if (typeof value === 'string') return type === 'text' ? quote(cut(value)) : value;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  return quote(`{${value.map(quote).join(',')}}`);
}

/** Whether all rows have the first one's value. */
function isConstant<Row>(rows: readonly Row[], { read }: LedgerColumn<Row>): boolean {
  const first = read(rows[0]!);
  for (let i = 1; i < rows.length; i++) if (read(rows[i]!) !== first) return false;
  return true;
}

/** @param count values: of all rows, or 1 when all have the same, of which null is not written at all */
function encodeColumn<Row>(rows: readonly Row[], column: LedgerColumn<Row>, count: number): string {
  let literal = '{';
  for (let i = 0; i < count; i++) {
    const value = column.read(rows[i]!);
    if (i > 0) literal += ',';
    if (value !== null) literal += encodeValue(value, column);
    else if (count > 1) literal += 'NULL';
  }
  return `${literal}}`;
}

function countPerRun(rows: readonly { runId: number }[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const { runId } of rows) counts.set(runId, (counts.get(runId) ?? 0) + 1);
  return [...counts];
}

/**
 * A value that all rows have is written once (see `unnest`), but for the first column's, which tell how many rows there
 * are: it is never null. Null for no rows.
 */
export function encodeRows<Row extends { runId: number }>(
  rows: readonly Row[],
  columns: readonly LedgerColumn<Row>[],
  sums: readonly Sum<Row>[] = [],
): EncodedRows | null {
  if (rows.length === 0) return null;
  return {
    columns: columns.map((column, at) =>
      encodeColumn(rows, column, at > 0 && isConstant(rows, column) ? 1 : rows.length),
    ),
    perRun: countPerRun(rows),
    sums: sums.length === 0 ? new Map() : addUp(rows, sums),
  };
}

/**
 * The rows of encoded columns, as `batch`: an array of one value is that of all rows. (`unnest` pads the shorter array
 * with nulls.)
 *
 * @param first parameter @default 1
 */
export function unnest<Row>(columns: readonly LedgerColumn<Row>[], first = 1): string {
  const arrays = columns.map(({ type }, i) => `$${first + i}::${type === 'text[]' ? 'text' : type}[]`);
  const values = columns.map(({ name }, i) => {
    const array = arrays[i]!;
    return `case when cardinality(${array}) = 1 then (${array})[1] else ${name} end as ${name}`;
  });
  const names = namesOf(columns).join(', ');
  return `(select ${values.join(', ')} from unnest(${arrays.join(', ')}) as encoded (${names})) as batch`;
}

/** `insert into t (...) select ... from unnest(...)`. @param first parameter @default 1 */
export function insertStatement<Row>(
  table: string,
  columns: readonly LedgerColumn<Row>[],
  first?: number,
): string {
  const names = namesOf(columns).join(', ');
  const values = columns.map(({ name, type }) => (type === 'text[]' ? `${name}::text[]` : name)).join(', ');
  return `insert into ${table} (${names}) select ${values} from ${unnest(columns, first)}`;
}

/** Parameters of a batch without rows. */
export function noRows(columns: readonly unknown[]): string[] {
  return columns.map(() => '{}');
}
