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
