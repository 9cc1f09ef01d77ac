import { YeeterError } from '../lib/errors.ts';
import { hash32, permute } from '../lib/rng.ts';

/** What every random value, UID, control id, accession number and message time of a run derives from. */
export interface RunIdentity {
  /** At most 2^53 - 1. */
  seed: number;
  /** First block of the identifier space that this run owns; see `NAMESPACE_SIZE`. */
  namespace: number;
  /** Start of the virtual clock, milliseconds since the epoch. */
  clockStartMs: number;
  /** Root of generated UIDs; null means 2.25. */
  uidRoot: string | null;
}

/** Iterations in one namespace block; a longer run owns as many consecutive blocks as it needs. */
export const NAMESPACE_SIZE = 10_000;

/** Identifiers have eight digits. */
export const IDENTIFIER_SPACE = 100_000_000;

/** Blocks in the identifier space of one seed. */
export const NAMESPACE_COUNT = IDENTIFIER_SPACE / NAMESPACE_SIZE;

/** Consecutive blocks that a run of `patientCount` iterations owns; at least one. */
export function namespacesNeeded(patientCount: number): number {
  return Math.max(1, Math.ceil(patientCount / NAMESPACE_SIZE));
}

/**
 * Checks that the run's blocks end within the identifier space.
 * @throws {YeeterError} NAMESPACE_EXHAUSTED
 */
export function checkNamespace(identity: RunIdentity, patientCount: number): void {
  const { namespace } = identity;
  const needed = namespacesNeeded(patientCount);
  if (Number.isInteger(namespace) && namespace >= 0 && namespace + needed <= NAMESPACE_COUNT) return;
  const last = NAMESPACE_COUNT - needed;
  throw new YeeterError(
    'NAMESPACE_EXHAUSTED',
    `namespace ${namespace} does not hold ${patientCount} patients: they need ${needed} of the ` +
      `${NAMESPACE_COUNT} blocks of a seed, ` +
      (last < 0
        ? `so that a run has at most ${IDENTIFIER_SPACE} patients`
        : `choose a namespace from 0 to ${last}, or another seed`),
  );
}

/** Place of the run's index `index` (from 0) in the identifier space of its seed. */
export function placeOf(identity: RunIdentity, index: number): number {
  return identity.namespace * NAMESPACE_SIZE + index;
}

/** Keys of the last seed's permutations, by kind: all iterations of a run ask for the same few. */
let keys = { seed: Number.NaN, ofKind: new Map<string, number>() };

function keyOf(seed: number, kind: string): number {
  if (keys.seed !== seed) keys = { seed, ofKind: new Map() };
  const known = keys.ofKind.get(kind);
  if (known !== undefined) return known;
  const key = hash32(0, 'identifier', kind, seed);
  keys.ofKind.set(kind, key);
  return key;
}

/** Eight digits that no other index of the seed has under the same `kind`. */
export function uniqueDigits(identity: RunIdentity, kind: string, index: number): string {
  const key = keyOf(identity.seed, kind);
  const place = permute(placeOf(identity, index), IDENTIFIER_SPACE, key);
  return String(IDENTIFIER_SPACE + place).slice(1);
}
