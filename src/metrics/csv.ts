import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What a cell can hold; null is blank. */
export type CsvValue = string | number | boolean | null;

export type CsvRow<Column extends string> = Readonly<Record<Column, CsvValue>>;

const FORMULA_START = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

/** Text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers. */
function cell(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const text = FORMULA_START.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** With its line end. */
export function csvLine(cells: readonly CsvValue[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

/** Lines of a CSV file (RFC 4180), the header first; rows are asked for as they are written. */
export async function* csvLines<Column extends string>(
  columns: readonly Column[],
  rows: AsyncIterable<CsvRow<Column>> | Iterable<CsvRow<Column>>,
): AsyncGenerator<string> {
  yield csvLine(columns);
  for await (const row of rows) yield csvLine(columns.map((column) => row[column]));
}

/** Writes a CSV file without holding more than a few rows. @throws what the file system says */
export async function writeCsv<Column extends string>(
  path: string,
  columns: readonly Column[],
  rows: AsyncIterable<CsvRow<Column>> | Iterable<CsvRow<Column>>,
): Promise<void> {
  await pipeline(Readable.from(csvLines(columns, rows)), createWriteStream(path));
}

/** Microseconds as milliseconds to three decimals; null stays null. */
export function milliseconds(us: number | null): number | null {
  return us === null ? null : Math.round(us) / 1000;
}

/** ISO 8601 in UTC; null stays null. */
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
