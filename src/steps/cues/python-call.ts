import { YeeterError } from '../../lib/errors.ts';

/** A Python literal. Tuples and lists are arrays. */
export type PythonValue = string | number | boolean | null | readonly PythonValue[];

/** A call in Python spelling, read and not run: `name(args)` with an optional `.strftime('format')`. */
export interface PythonCall {
  name: string;
  positional: readonly PythonValue[];
  named: ReadonlyMap<string, PythonValue>;
  /** The argument of `.strftime()`, or null. */
  format: string | null;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /[+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const STRING = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const BLANK = /\s*/y;
const WORDS: ReadonlyMap<string, PythonValue> = new Map<string, PythonValue>([
  ['True', true],
  ['False', false],
  ['None', null],
]);
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/**
 * Reads `random_number(digits=8, fix_len=True)`, `first_name` or `date_time_this_year().strftime('%Y')`. Arguments
 * are literals (numbers, strings, True, False, None, tuples, lists); anything else is refused.
 * @throws {YeeterError} GENERATOR_INVALID
 */
export function parsePythonCall(text: string): PythonCall {
  let at = 0;

  const skip = (): void => {
    BLANK.lastIndex = at;
    BLANK.test(text);
    at = BLANK.lastIndex;
  };
  const take = (pattern: RegExp): string | null => {
    skip();
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) return null;
    at = pattern.lastIndex;
    return match[0];
  };
  const accept = (character: string): boolean => {
    skip();
    if (text[at] !== character) return false;
    at++;
    return true;
  };
  const refuse = (wanted: string): never => {
    const rest = text.slice(at, at + 20);
    const where = rest === '' ? 'at its end' : `at "${rest}"`;
    throw new YeeterError('GENERATOR_INVALID', `${wanted} is expected ${where}`);
  };

  /** Elements up to the closing bracket; a trailing comma is allowed. */
  const sequence = (close: string): { items: PythonValue[]; comma: boolean } => {
    const items: PythonValue[] = [];
    let comma = false;
    while (!accept(close)) {
      if (items.length > 0 && !comma) refuse(`, or ${close}`);
      items.push(value());
      comma = accept(',');
    }
    return { items, comma };
  };
  const value = (): PythonValue => {
    const string = take(STRING);
    if (string !== null) return unquote(string);
    const number = take(NUMBER);
    if (number !== null) return Number(number.replaceAll('_', ''));
    if (accept('[')) return sequence(']').items;
    if (accept('(')) {
      const { items, comma } = sequence(')');
      // As in Python, ('A') is 'A' and ('A',) is a tuple.
      return items.length === 1 && !comma ? items[0]! : items;
    }
    const start = at;
    const word = WORDS.get(take(NAME) ?? '');
    if (word !== undefined) return word;
    at = start;
    return refuse('a literal (number, string, True, False, None, tuple or list)');
  };
  const callArguments = (): { positional: PythonValue[]; named: Map<string, PythonValue> } => {
    const positional: PythonValue[] = [];
    const named = new Map<string, PythonValue>();
    let comma = true;
    while (!accept(')')) {
      if (!comma) refuse(', or )');
      const start = at;
      const name = take(NAME);
      if (name !== null && accept('=')) {
        if (named.has(name)) refuse(`only one ${name}`);
        named.set(name, value());
      } else {
        at = start;
        if (named.size > 0) refuse('a named argument');
        positional.push(value());
      }
      comma = accept(',');
    }
    return { positional, named };
  };

  const name = take(NAME) ?? refuse('a name');
  const { positional, named } = accept('(') ? callArguments() : { positional: [], named: new Map() };
  const format = accept('.') ? strftimeArgument() : null;
  skip();
  if (at < text.length) refuse('nothing more');
  return { name, positional, named, format };

  function strftimeArgument(): string {
    if (take(NAME) !== 'strftime' || !accept('(')) refuse(".strftime('...')");
    const call = callArguments();
    const argument = call.positional[0] ?? call.named.get('format');
    if (typeof argument !== 'string' || call.positional.length + call.named.size !== 1) {
      return refuse("one format, like '%Y%m%d', in .strftime()");
    }
    return argument;
  }
}

function unquote(literal: string): string {
  return literal.slice(1, -1).replace(/\\([\s\S])/g, (whole, character: string) => {
    if (/[\\'"]/.test(character)) return character;
    return ESCAPES.get(character) ?? whole;
  });
}
