import { YeeterError } from '../../lib/errors.ts';
import type { PythonCall, PythonValue } from './python-call.ts';

/** A parameter of a call that a cue may make; `elements` are scalars, or the characters of a string. */
export type ParameterSpec =
  | { type: 'integer'; default: number | null }
  | { type: 'boolean'; default: boolean }
  | { type: 'string'; default: string }
  | { type: 'elements'; default: readonly string[] }
  | { type: 'none'; default: null };

/** Arguments by name, checked against their types. */
export interface BoundArguments {
  integer(name: string): number;
  optionalInteger(name: string): number | null;
  boolean(name: string): boolean;
  string(name: string): string;
  elements(name: string): readonly string[];
}

const WANTED: Readonly<Record<ParameterSpec['type'], string>> = {
  integer: 'must be a whole number',
  boolean: 'must be True or False',
  string: 'must be a string',
  elements: 'must be a list of strings or numbers that is not empty',
  none: 'can only be None',
};

/**
 * Puts a call's positional and named arguments to their parameters, in the order of `parameters`.
 * @throws {YeeterError} GENERATOR_INVALID for one too many, an unknown name or a wrong type.
 */
export function bindArguments(
  call: PythonCall,
  parameters: Readonly<Record<string, ParameterSpec>>,
): BoundArguments {
  const names = Object.keys(parameters);
  const refuse = (problem: string): never => {
    const takes = names.length === 0 ? 'no arguments' : names.join(', ');
    throw new YeeterError('GENERATOR_INVALID', `${call.name}: ${problem}; it takes ${takes}`);
  };
  if (call.positional.length > names.length) refuse(`${call.positional.length} arguments are too many`);
  const given = new Map(call.positional.map((value, i) => [names[i]!, value]));
  for (const [name, value] of call.named) {
    if (!Object.hasOwn(parameters, name)) refuse(`"${name}" is not an argument`);
    if (given.has(name)) refuse(`"${name}" is given twice`);
    given.set(name, value);
  }
  const bound = new Map<string, PythonValue>();
  for (const [name, spec] of Object.entries(parameters)) {
    const value = given.get(name);
    if (value === undefined || (value === null && spec.default === null)) bound.set(name, spec.default);
    else bound.set(name, convert(value, spec.type) ?? refuse(`"${name}" ${WANTED[spec.type]}`));
  }
  return {
    integer: (name) => bound.get(name) as number,
    optionalInteger: (name) => bound.get(name) as number | null,
    boolean: (name) => bound.get(name) as boolean,
    string: (name) => bound.get(name) as string,
    elements: (name) => bound.get(name) as readonly string[],
  };
}

/** Null when the value is not of that type. */
function convert(value: PythonValue, type: ParameterSpec['type']): PythonValue {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value) ? value : null;
    case 'boolean':
    case 'string':
      return typeof value === type ? value : null;
    case 'elements':
      return elements(value);
    case 'none':
      return null;
    default:
      return type satisfies never;
  }
}

function elements(value: PythonValue): readonly string[] | null {
  if (typeof value === 'string') return value === '' ? null : [...value];
  if (value === null || typeof value !== 'object' || value.length === 0) return null;
  const texts: string[] = [];
  for (const item of value) {
    if (typeof item !== 'string' && typeof item !== 'number') return null;
    texts.push(String(item));
  }
  return texts;
}
