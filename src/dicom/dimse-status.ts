/** What a Status (0000,0900) of C-STORE means for the sender. */
export type StoreVerdict = 'stored' | 'stored-with-warning' | 'retry' | 'failed';

/** Warnings of the storage service: coercion, mismatch, elements discarded (PS3.4 Table B.2-1). */
const STORED_WITH_WARNING: ReadonlySet<number> = new Set([0xb000, 0xb006, 0xb007]);

export const STATUS = {
  success: 0x0000,
  warning: 0x0001,
  invalidAttributeValue: 0x0106,
  attributeListError: 0x0107,
  processingFailure: 0x0110,
  duplicateSopInstance: 0x0111,
  noSuchSopInstance: 0x0112,
  attributeValueOutOfRange: 0x0116,
  invalidSopInstance: 0x0117,
  missingAttribute: 0x0120,
  missingAttributeValue: 0x0121,
  sopClassNotSupported: 0x0122,
  unrecognisedOperation: 0x0211,
  resourceLimitation: 0x0213,
  outOfResources: 0xa700,
  pending: 0xff00,
  /** A cancel ended the matching (PS3.4 Table C.4-1). */
  cancelled: 0xfe00,
} as const;

/** Only A7xx (out of resources) may pass by itself; what the peer said about the data set stays true. */
export function judgeStoreStatus(status: number): StoreVerdict {
  if (status === STATUS.success) return 'stored';
  if (STORED_WITH_WARNING.has(status)) return 'stored-with-warning';
  return status >> 8 === 0xa7 ? 'retry' : 'failed';
}

/** FF00 and FF01: more responses follow (PS3.7 Annex C.5). */
export function isPending(status: number): boolean {
  return status >> 8 === 0xff;
}

/** PS3.7 Annex C and PS3.4 Table B.2-1. */
const WORDS: Record<number, string> = {
  0: 'success',
  261: 'no such attribute',
  262: 'invalid attribute value',
  263: 'attribute list error',
  272: 'processing failure',
  273: 'duplicate SOP instance',
  274: 'no such SOP instance',
  278: 'attribute value out of range',
  279: 'invalid SOP instance UID',
  280: 'no such SOP class',
  281: 'class and instance conflict',
  288: 'missing attribute',
  289: 'missing attribute value',
  290: 'SOP class not supported',
  292: 'not authorised',
  528: 'duplicate invocation',
  529: 'unrecognised operation',
  530: 'mistyped argument',
  531: 'resource limitation',
  45056: 'coercion of data elements',
  45062: 'elements discarded',
  45063: 'data set does not match its SOP class',
  65024: 'ended by a cancel',
};

const RANGES: readonly [high: number, words: string][] = [
  [0xa7, 'out of resources'],
  [0xa9, 'data set does not match its SOP class'],
  [0xff, 'pending'],
];

/** Four hexadecimal digits and words, such as "A700 (out of resources)". */
export function describeStatus(status: number): string {
  const hex = status.toString(16).toUpperCase().padStart(4, '0');
  const range = RANGES.find(([high]) => status >> 8 === high)?.[1];
  const words = WORDS[status] ?? range ?? (status >> 12 === 0xc ? 'cannot understand' : 'unknown status');
  return `${hex} (${words})`;
}
