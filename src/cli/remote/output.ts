import { type CsvRow, type CsvValue, csvLines } from '../../metrics/csv.ts';
import { formatTable } from '../format.ts';
import { printable, printableJson } from './printable.ts';

export const OUTPUT_FORMATS = ['table', 'json', 'csv'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

type Row = Readonly<Record<string, unknown>>;

/** What a list prints: `raw` as JSON, `rows` by their columns as a table or CSV. */
export interface Listing {
  raw: unknown;
  rows: readonly Row[];
  columns: readonly string[];
  /** Printed in place of an empty table. */
  empty: string;
}

export async function printListing(
  { raw, rows, columns, empty }: Listing,
  format: OutputFormat,
): Promise<void> {
  switch (format) {
    case 'json':
      return printJson(raw);
    case 'csv': {
      for await (const line of csvLines(
        columns,
        rows.map((row) => csvRow(row, columns)),
      )) {
        process.stdout.write(line);
      }
      return;
    }
    case 'table':
      return say(rows.length === 0 ? empty : tableOf(rows, columns));
    default:
      return format satisfies never;
  }
}

/** One answer, by its fields. */
export async function printRow(row: Row, format: 'json' | 'csv'): Promise<void> {
  await printListing({ raw: row, rows: [row], columns: Object.keys(row), empty: '' }, format);
}

export function tableOf(rows: readonly Row[], columns: readonly string[]): string {
  const cells = rows.map((row) => columns.map((column) => cellText(row[column])));
  return formatTable(
    columns.map((column) => column.replaceAll('_', ' ')),
    cells,
  );
}

/** Names and their values, one a line. */
export function describe(fields: readonly (readonly [name: string, value: unknown])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${cellText(value)}`).join('\n');
}

export function printJson(value: unknown): void {
  say(printableJson(value, 2));
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function cellText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  return printable(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

function csvRow(row: Row, columns: readonly string[]): CsvRow<string> {
  return Object.fromEntries(columns.map((column) => [column, csvValue(row[column])]));
}

function csvValue(value: unknown): CsvValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return JSON.stringify(value);
}
