import { type Delimiters, STANDARD_DELIMITERS } from './delimiters.ts';

/** Turns a value into text that may stand in a message, or back. */
export type TextCodec = (text: string) => string;

/** Everything that may need an escape under some choice of delimiters: punctuation and control characters. */
const SUSPECT = /[^ 0-9A-Za-z\u007f-\uffff]/;

/**
 * An encoder for one set of delimiters (HL7 chapter 2, "Use of escape sequences in text fields"): delimiters
 * become `\F\`, `\S\`, `\T\`, `\R\`, `\E\` and `\P\`, and control characters `\Xhh\`, so that a value can neither
 * end its field or segment nor the MLLP frame. Without an escape character such characters become spaces.
 */
export function createEscaper(delimiters: Delimiters): TextCodec {
  const letters = new Map<string, string>();
  const mark = delimiters.escape;
  for (const [letter, character] of escapeLetters(delimiters)) letters.set(character, letter);
  const punctuation = [...letters.keys()].map((c) => `\\${c}`).join('');
  const special = new RegExp(`[^ -\\uffff]|[${punctuation}]`, 'g');
  const replace = (character: string): string => {
    if (mark === null) return ' ';
    return mark + (letters.get(character) ?? hexSequence(character)) + mark;
  };
  return (text) => (SUSPECT.test(text) ? text.replace(special, replace) : text);
}

/**
 * The inverse of `createEscaper`; `\.br\` becomes a line feed. Other sequences (formatting, character sets, local
 * ones, bytes above 7F whose meaning depends on the character set) and stray escape characters stay as they are.
 */
function createUnescaper(delimiters: Delimiters): TextCodec {
  const mark = delimiters.escape;
  if (mark === null) return (text) => text;
  const characters = new Map(escapeLetters(delimiters));
  const decode = (sequence: string): string | null => {
    if (sequence === '.br') return '\n';
    return characters.get(sequence) ?? hexCharacters(sequence);
  };
  return (text) => {
    let start = text.indexOf(mark);
    if (start === -1) return text;
    let out = '';
    let copied = 0;
    while (start !== -1) {
      const end = text.indexOf(mark, start + 1);
      if (end === -1) break;
      const decoded = decode(text.slice(start + 1, end));
      if (decoded === null) {
        // A stray escape character must not swallow the one that opens the next sequence.
        start = end === start + 1 || isSequence(text.slice(start + 1, end)) ? end + 1 : end;
        start = text.indexOf(mark, start);
        continue;
      }
      out += text.slice(copied, start) + decoded;
      copied = end + 1;
      start = text.indexOf(mark, copied);
    }
    return out + text.slice(copied);
  };
}

const standardEscaper = createEscaper(STANDARD_DELIMITERS);
const standardUnescaper = createUnescaper(STANDARD_DELIMITERS);

export function escapeText(text: string, delimiters: Delimiters): string {
  return (delimiters === STANDARD_DELIMITERS ? standardEscaper : createEscaper(delimiters))(text);
}

export function unescapeText(text: string, delimiters: Delimiters): string {
  return (delimiters === STANDARD_DELIMITERS ? standardUnescaper : createUnescaper(delimiters))(text);
}

function escapeLetters(delimiters: Delimiters): [letter: string, character: string][] {
  const pairs: [string, string | null][] = [
    ['F', delimiters.field],
    ['S', delimiters.component],
    ['T', delimiters.subcomponent],
    ['R', delimiters.repetition],
    ['E', delimiters.escape],
    ['P', delimiters.truncation],
  ];
  return pairs.filter((pair): pair is [string, string] => pair[1] !== null);
}

function hexSequence(character: string): string {
  return `X${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function hexCharacters(sequence: string): string | null {
  if (!/^X(?:[0-7][0-9A-Fa-f])+$/.test(sequence)) return null;
  return Buffer.from(sequence.slice(1), 'hex').toString('latin1');
}

/** Whether text between two escape characters has the form of a sequence that we leave as it is. */
function isSequence(text: string): boolean {
  return /^(?:[A-Z]|[CMXZ][0-9A-Za-z]*|\.[a-z]{2}[+-]?[0-9]*)$/.test(text);
}
