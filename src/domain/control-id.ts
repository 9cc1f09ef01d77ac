import { hash32, permute } from '../lib/rng.ts';
import { IDENTIFIER_SPACE, placeOf, type RunIdentity } from './identity.ts';

const SEED_SPACE = 36 ** 5;
const MAX_STEP = 36 ** 2;
const MAX_REPEAT = 36 ** 5;

function base36(value: number, digits: number): string {
  return value.toString(36).toUpperCase().padStart(digits, '0');
}

/**
 * Message Control ID (MSH-10, at most 20 characters, HL7 2.5.1 section 2.15.9.10) of one message: `Y`, the seed's
 * mark, iteration, step and repetition in base 36. Unique within a seed; an attempt again has the same.
 * @param iteration from 1
 * @param stepOrder from 1 to 1295
 * @param repeat from 0 to 60,466,175
 */
export function controlId(
  identity: RunIdentity,
  iteration: number,
  stepOrder: number,
  repeat: number,
): string {
  if (stepOrder >= MAX_STEP || repeat >= MAX_REPEAT)
    throw new RangeError(`no control id for step ${stepOrder}, repetition ${repeat}`);
  const mark = hash32(0, 'control id mark', identity.seed) % SEED_SPACE;
  const key = hash32(0, 'control id', identity.seed);
  const place = permute(placeOf(identity, iteration - 1), IDENTIFIER_SPACE, key);
  return `Y${base36(mark, 5)}${base36(place, 6)}${base36(stepOrder, 2)}${base36(repeat, 5)}`;
}
