import { z } from 'zod';
import { expects, integer } from '../../domain/schema-fields.ts';

/** Where the integers of JSON and of the database end together. */
const MAX_ID = Number.MAX_SAFE_INTEGER;

export const id = () => integer(1, MAX_ID, 'the number of an object');

export const idParams = z.object({ id: id() });

/** In a query; the older clients send `true`, `1` or `True`. */
export function queryFlag() {
  return z
    .string({ error: expects('true or false') })
    .regex(/^(true|false|1|0)$/i, { error: expects('true or false') })
    .transform((text) => /^(true|1)$/i.test(text));
}

const TIME = /^(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** Milliseconds since the epoch of an ISO 8601 text; without a zone it is UTC. NaN when it is none. */
function timeOf(text: string): number {
  const [, date, time = 'T00:00', , , zone = 'Z'] = TIME.exec(text) ?? [];
  return date === undefined ? Number.NaN : Date.parse(`${date}${time.replace(' ', 'T')}${zone}`);
}

/** A time in a query, as milliseconds since the epoch. `+` of a zone may have become a space. */
export function queryTime() {
  const error = expects('a time such as 2026-01-05T07:00:00Z');
  return z
    .string({ error })
    .transform((text) => timeOf(text.trim().replace(/ (\d{2}:?\d{2})$/, '+$1')))
    .refine((ms) => !Number.isNaN(ms), { error });
}

export const format = z.enum(['json', 'csv'], { error: expects('json or csv') }).default('json');

/** The page before an object, in lists from the newest on. */
export const beforeId = integer(
  1,
  MAX_ID,
  'the number of the oldest object that is there already',
).optional();

export function limit(max: number, usual: number) {
  return integer(1, max).default(usual);
}

export const offset = integer(0, MAX_ID).default(0);

/** ISO 8601 in UTC with `Z`, or null. */
export const time = z.iso.datetime();
export const count = z.int().nonnegative();
export const objectId = z.int();
export const text = z.string();
export const figure = z.number();
export const record = z.record(z.string(), z.unknown());
