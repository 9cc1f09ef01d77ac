import { YeeterError } from '../lib/errors.ts';
import { deriveUid } from '../lib/uid.ts';

/** Transfer syntaxes that the encoder and decoder know (PS3.6 annex A). */
export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

/** Storage SOP classes of the objects that are built here (PS3.4 annex B.5). */
export const SOP_CLASS = {
  CT: '1.2.840.10008.5.1.4.1.1.2',
  MR: '1.2.840.10008.5.1.4.1.1.4',
  CR: '1.2.840.10008.5.1.4.1.1.1',
  DX: '1.2.840.10008.5.1.4.1.1.1.1',
  MG: '1.2.840.10008.5.1.4.1.1.1.2',
  US: '1.2.840.10008.5.1.4.1.1.6.1',
  RF: '1.2.840.10008.5.1.4.1.1.12.2',
  NM: '1.2.840.10008.5.1.4.1.1.20',
  PT: '1.2.840.10008.5.1.4.1.1.128',
  basicTextSr: '1.2.840.10008.5.1.4.1.1.88.11',
  radiationDoseSr: '1.2.840.10008.5.1.4.1.1.88.67',
} as const;

/** Modality Worklist Information Model - FIND (PS3.4 annex K). */
export const WORKLIST_SOP_CLASS = '1.2.840.10008.5.1.4.31';

/** Modality Performed Procedure Step, the class that images refer to by (0008,1111). */
export const MPPS_SOP_CLASS = '1.2.840.10008.3.1.2.3.3';

const UID_FORM = /^(0|[1-9]\d*)(\.(0|[1-9]\d*))*$/;

/** At most 64 characters of digits and dots, no empty component and none with a leading zero (PS3.5 section 9.1). */
export function isValidUid(uid: string): boolean {
  return uid.length <= 64 && UID_FORM.test(uid);
}

/** So many digits of the hash must find room after the root and its dot, or two UIDs might meet. */
const MIN_SUFFIX_DIGITS = 24;
const MAX_ROOT_LENGTH = 64 - 1 - MIN_SUFFIX_DIGITS;

/**
 * Checks a configured UID root: at least two components, and short enough to leave room for 24 digits.
 * @throws YeeterError CONFIG_INVALID
 */
export function checkUidRoot(root: string): void {
  if (!isValidUid(root) || !root.includes('.') || !/^[012]\./.test(root))
    throw new YeeterError(
      'CONFIG_INVALID',
      `UID root "${root}" is not a UID: digits and dots, beginning with 0, 1 or 2, no leading zeros, no dot at the end`,
    );
  if (root.length > MAX_ROOT_LENGTH)
    throw new YeeterError(
      'CONFIG_INVALID',
      `UID root "${root}" has ${root.length} characters, at most ${MAX_ROOT_LENGTH} leave room for unique digits`,
    );
}

/** The SOP Instance UID of an instance; unique as long as the series' UID is. */
export function sopInstanceUid(
  seriesInstanceUid: string,
  instanceNumber: number,
  root: string | null = null,
): string {
  return deriveUid(root, 'instance', seriesInstanceUid, instanceNumber);
}
