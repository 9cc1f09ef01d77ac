import { YeeterError } from '../../lib/errors.ts';

export type TimeFormatter = (ms: number) => string;

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const DAY_MS = 86_400_000;

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
const padded = (n: number, width: number): string => String(n).padStart(width, '0');

/** The directives of Python's `strftime`, in UTC and the C locale. */
const DIRECTIVES: ReadonlyMap<string, (date: Date) => string> = new Map<string, (date: Date) => string>([
  ['Y', (d) => padded(d.getUTCFullYear(), 4)],
  ['y', (d) => two(d.getUTCFullYear() % 100)],
  ['m', (d) => two(d.getUTCMonth() + 1)],
  ['d', (d) => two(d.getUTCDate())],
  ['H', (d) => two(d.getUTCHours())],
  ['I', (d) => two(d.getUTCHours() % 12 || 12)],
  ['M', (d) => two(d.getUTCMinutes())],
  ['S', (d) => two(d.getUTCSeconds())],
  ['f', (d) => `${padded(d.getUTCMilliseconds(), 3)}000`],
  ['p', (d) => (d.getUTCHours() < 12 ? 'AM' : 'PM')],
  ['j', (d) => padded(1 + Math.floor((d.getTime() - Date.UTC(d.getUTCFullYear(), 0, 1)) / DAY_MS), 3)],
  ['B', (d) => MONTHS[d.getUTCMonth()]!],
  ['b', (d) => MONTHS[d.getUTCMonth()]!.slice(0, 3)],
  ['A', (d) => DAYS[d.getUTCDay()]!],
  ['a', (d) => DAYS[d.getUTCDay()]!.slice(0, 3)],
  ['w', (d) => String(d.getUTCDay())],
  ['z', () => '+0000'],
  ['Z', () => 'UTC'],
  ['%', () => '%'],
]);

/**
 * Compiles a `strftime` format.
 * @throws {YeeterError} GENERATOR_INVALID for a directive that is not supported.
 */
export function compileTimeFormat(format: string): TimeFormatter {
  const parts: (string | ((date: Date) => string))[] = [];
  for (const piece of format.match(/%[\s\S]?|[^%]+/g) ?? []) {
    if (piece[0] !== '%') {
      parts.push(piece);
      continue;
    }
    const directive = DIRECTIVES.get(piece.slice(1));
    if (!directive) {
      throw new YeeterError(
        'GENERATOR_INVALID',
        `strftime does not know ${piece}: use one of %${[...DIRECTIVES.keys()].join(' %')}`,
      );
    }
    parts.push(directive);
  }
  return (ms) => {
    const date = new Date(ms);
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : part(date);
    return text;
  };
}

/** `YYYYMMDDHHMMSS`, the HL7 time stamp without fraction and zone. */
export const hl7Timestamp: TimeFormatter = compileTimeFormat('%Y%m%d%H%M%S');
