import { YeeterError } from '../lib/errors.ts';

/** What a fault of this kind may be given behind a colon; null when it takes nothing. */
export interface FaultKind {
  /** One clause for the list of what is possible. */
  about: string;
  argument: null | {
    /** How the argument is called in that list, with its unit, such as `ms`. */
    name: string;
    /** The argument's value, or null when the text is none. */
    parse(text: string): number | null;
  };
}

export type FaultKinds = Readonly<Record<string, FaultKind>>;

export interface Fault<Name extends string> {
  name: Name;
  argument: number | null;
}

/** Faults with their cadence, in the order in which they were written. */
export type FaultPlan<Name extends string> = ReadonlyArray<{ fault: Fault<Name>; every: number }>;

/** A whole number of milliseconds, up to an hour. */
export const MILLISECONDS: FaultKind['argument'] = {
  name: 'ms',
  parse: (text) => (/^\d{1,7}$/.test(text) && Number(text) <= 3_600_000 ? Number(text) : null),
};

function possible(kinds: FaultKinds): string {
  return Object.entries(kinds)
    .map(([name, { about, argument }]) => `${name}${argument ? `:<${argument.name}>` : ''}/<n> ${about}`)
    .join('; ');
}

/**
 * Reads a plan such as `AE/5,delay:200/1`: every fifth message answers AE, each waits 200 ms. Empty text is the
 * empty plan.
 * @param kinds the faults that the protocol knows
 * @throws YeeterError USAGE, naming the part that is wrong and everything that is possible
 */
export function parseFaultPlan<Kinds extends FaultKinds>(
  text: string,
  kinds: Kinds,
): FaultPlan<keyof Kinds & string> {
  if (text.trim() === '') return [];
  return text.split(',').map((part) => {
    const entry = part.trim();
    const refuse = (why: string): never => {
      throw new YeeterError('USAGE', `fault plan, "${entry}": ${why}. Possible: ${possible(kinds)}`);
    };
    const match = /^([^:/]+)(?::([^/]*))?\/(\d{1,9})$/.exec(entry);
    if (match === null) return refuse('expected name/n or name:argument/n');
    const [, name = '', argumentText, everyText] = match;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) return refuse(`no fault is called "${name}"`);
    const every = Number(everyText);
    if (every === 0) return refuse('n counts messages and begins at 1');
    if (kind.argument === null) {
      if (argumentText !== undefined) return refuse(`${name} takes no argument`);
      return { fault: { name, argument: null }, every };
    }
    const argument = argumentText === undefined ? null : kind.argument.parse(argumentText);
    if (argument === null) return refuse(`${name} needs an argument: ${kind.argument.name}`);
    return { fault: { name, argument }, every };
  });
}

/**
 * The fault of the n-th message or operation, counted from 1; null for none. Where several fall on the same n
 * the rarest wins, and of equals the first.
 */
export function faultFor<Name extends string>(plan: FaultPlan<Name>, n: number): Fault<Name> | null {
  let found: FaultPlan<Name>[number] | null = null;
  for (const entry of plan) {
    if (n % entry.every === 0 && (found === null || entry.every > found.every)) found = entry;
  }
  return found?.fault ?? null;
}
