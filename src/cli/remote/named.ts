import { YeeterError } from '../../lib/errors.ts';
import { printable } from './printable.ts';

interface Named {
  id: number;
  name: string;
}

/** By its id or name, case aside when nothing else fits. @param what for example `template` @throws {YeeterError} USAGE */
export async function idOf(
  named: string,
  what: string,
  read: () => Promise<readonly Named[]>,
): Promise<number> {
  if (/^\d+$/.test(named)) return Number(named);
  const all = await read();
  const exact = all.filter(({ name }) => name === named);
  const lower = named.toLowerCase();
  const found = exact.length > 0 ? exact : all.filter(({ name }) => name.toLowerCase() === lower);
  if (found.length === 1) return found[0]!.id;
  if (found.length > 1) {
    const ids = found.map(({ id }) => id).join(' or ');
    throw new YeeterError('USAGE', `several ${what}s are called "${named}": say ${ids}`);
  }
  const names = all.map(({ name }) => printable(name)).join(', ');
  const there = names === '' ? 'there are none' : `there are ${names}`;
  throw new YeeterError('USAGE', `you have no ${what} "${named}": ${there}`);
}
