import { YeeterError } from '../lib/errors.ts';

/** The encoding characters of one message: MSH-1 and MSH-2 (HL7 chapter 2, "Message delimiters"). */
export interface Delimiters {
  field: string;
  component: string;
  /** Null when MSH-2 is too short to declare it; the message then has none. */
  repetition: string | null;
  escape: string | null;
  subcomponent: string | null;
  /** Fifth character of MSH-2, since version 2.7. */
  truncation: string | null;
}

export const STANDARD_DELIMITERS: Delimiters = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
  truncation: null,
};

/**
 * Reads MSH-1 and MSH-2 from the text of a header segment (MSH, FHS or BHS).
 * @throws {YeeterError} HL7_PARSE when they are missing, repeated, or letters or digits.
 */
export function readDelimiters(header: string): Delimiters {
  const field = header[3];
  if (field === undefined) {
    throw new YeeterError('HL7_PARSE', 'MSH ends before MSH-1: it must begin like "MSH|^~\\&|"');
  }
  const end = header.indexOf(field, 4);
  const encoding = header.slice(4, end === -1 ? undefined : end);
  if (encoding === '^~\\&' && field === '|') return STANDARD_DELIMITERS;
  const all = field + encoding;
  if (encoding.length < 1 || encoding.length > 5) {
    throw new YeeterError(
      'HL7_PARSE',
      `MSH-2 is "${encoding.slice(0, 20)}": it must hold one to five encoding characters, usually ^~\\&`,
    );
  }
  if (new Set(all).size !== all.length || !/^[!-/:-@[-`{-~]+$/.test(all)) {
    throw new YeeterError(
      'HL7_PARSE',
      `MSH-1 and MSH-2 are "${all}": the encoding characters must be different punctuation characters`,
    );
  }
  return {
    field,
    component: encoding[0]!,
    repetition: encoding[1] ?? null,
    escape: encoding[2] ?? null,
    subcomponent: encoding[3] ?? null,
    truncation: encoding[4] ?? null,
  };
}
