import { YeeterError } from '../lib/errors.ts';
import { addUp, namesOf, type Sum, type SumValue } from './run-sums.ts';

/*
 * Ledger rows go in as one array a column (`unnest`), each written here as a PostgreSQL array literal. The literals
 * are also what crosses from the engine's thread to the storage thread: forty strings are copied faster than a
 * thousand objects are cloned, and the database takes them as they are.
 */

type ColumnType = 'int4' | 'int8' | 'float8' | 'bool' | 'uuid' | 'text' | 'text[]';
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

/** Null when every value is null: `unnest` pads the shorter array with nulls, so `{}` says the same. */
function encodeColumn<Row>(rows: readonly Row[], column: LedgerColumn<Row>): string {
  const { name, type, read } = column;
  const whole = type === 'int4' || type === 'int8';
  let literal = '{';
  let allNull = true;
  for (let i = 0; i < rows.length; i++) {
    const value = read(rows[i]!);
    if (i > 0) literal += ',';
    if (value === null) {
      literal += 'NULL';
      continue;
    }
    allNull = false;
    if (typeof value === 'number') literal += whole ? wholeNumber(value, name) : String(value);
    else if (typeof value === 'string') literal += type === 'text' ? quote(cut(value)) : value;
    else if (typeof value === 'boolean') literal += value ? 't' : 'f';
    else literal += quote(`{${value.map(quote).join(',')}}`);
  }
  return allNull ? '{}' : `${literal}}`;
}

function countPerRun(rows: readonly { runId: number }[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const { runId } of rows) counts.set(runId, (counts.get(runId) ?? 0) + 1);
  return [...counts];
}

/** Null for no rows. The first column must not be null throughout: its length is the number of rows. */
export function encodeRows<Row extends { runId: number }>(
  rows: readonly Row[],
  columns: readonly LedgerColumn<Row>[],
  sums: readonly Sum<Row>[] = [],
): EncodedRows | null {
  if (rows.length === 0) return null;
  return {
    columns: columns.map((column) => encodeColumn(rows, column)),
    perRun: countPerRun(rows),
    sums: addUp(rows, sums),
  };
}

/** `unnest(...) as batch (...)`. @param first parameter @default 1 */
export function unnest<Row>(columns: readonly LedgerColumn<Row>[], first = 1): string {
  const arrays = columns.map(({ type }, i) => `$${first + i}::${type === 'text[]' ? 'text' : type}[]`);
  return `unnest(${arrays.join(', ')}) as batch (${namesOf(columns).join(', ')})`;
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
