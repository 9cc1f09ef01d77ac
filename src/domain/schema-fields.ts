import { z } from 'zod';
import { isQueueName, QUEUE_NAME_RULE } from '../lib/queue-name.ts';
import { CONTROL_CHARACTERS } from '../lib/text-rules.ts';

/** Shows what was given, shortened, for the end of a message. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

interface IssueLike {
  input?: unknown;
}

/** `is missing: it must be ...` or `must be ..., not ...`. */
export function expects(what: string): (issue: IssueLike) => string {
  return ({ input }) =>
    input === undefined ? `is missing: it must be ${what}` : `must be ${what}, not ${shown(input)}`;
}

/** Integers may arrive as strings of digits; nothing else is coerced. */
function fromDigits(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

export function integer(min: number, max: number, what = `a whole number from ${min} to ${max}`) {
  const error = expects(what);
  return z.preprocess(fromDigits, z.int({ error }).min(min, { error }).max(max, { error }));
}

export function number(min: number, max: number) {
  const error = expects(`a number from ${min} to ${max}`);
  return z.preprocess(fromDigits, z.number({ error }).min(min, { error }).max(max, { error }));
}

export function flag() {
  return z.boolean({ error: expects('true or false') });
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: expects(`one of ${values.join(', ')}`) });
}

/** Text of 1 to `max` characters on one line. */
export function line(max: number) {
  const error = expects(`text of 1 to ${max} characters without control characters`);
  return z
    .string({ error })
    .min(1, { error })
    .max(max, { error })
    .refine((text) => !CONTROL_CHARACTERS.test(text), { error });
}

export function queueName() {
  const error = expects(QUEUE_NAME_RULE);
  return z.string({ error }).refine(isQueueName, { error });
}

/** Text of at most `max` characters; line breaks are allowed. */
export function text(max: number) {
  const error = expects(`text of at most ${max} characters`);
  return z.string({ error }).max(max, { error });
}

/** A name, or the number of a stored object as the server's clients give it. */
export function reference(what: string) {
  const error = expects(what);
  return z
    .union([z.string(), z.int()], { error })
    .transform(String)
    .refine((name) => name.trim() !== '', { error });
}

/** AE title (PS3.5 section 6.2): 1 to 16 characters, no backslash or control; `""` stands for an absent one. */
export function aeTitle() {
  const error = expects('an AE title: 1 to 16 printable ASCII characters, no backslash, not only spaces');
  return z
    .string({ error })
    .refine((title) => title === '' || (/^[ -[\]-~]{1,16}$/.test(title) && title.trim() !== ''), { error })
    .transform((title) => (title === '' ? null : title));
}

export function record() {
  return z.record(z.string(), z.unknown(), { error: expects('a list of names and values') });
}
