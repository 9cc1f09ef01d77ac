import type { Abort, AssociateRj, ContextResult } from './pdu.ts';

/** Words of PS3.8 Table 9-21 by source and reason. */
const REJECT_SOURCES: Record<number, { name: string; reasons: Record<number, string> }> = {
  1: {
    name: 'service user',
    reasons: {
      1: 'no reason given',
      2: 'application context name not supported',
      3: 'calling AE title not recognised',
      7: 'called AE title not recognised',
    },
  },
  2: {
    name: 'service provider (association control)',
    reasons: { 1: 'no reason given', 2: 'protocol version not supported' },
  },
  3: {
    name: 'service provider (presentation)',
    reasons: { 1: 'temporary congestion', 2: 'local limit exceeded' },
  },
};

/** An A-ASSOCIATE-RJ in words, PS3.8 section 9.3.4. */
export function describeRejection(rj: AssociateRj): string {
  const result = rj.result === 1 ? 'for good' : rj.result === 2 ? 'for now' : `with result ${rj.result}`;
  const source = REJECT_SOURCES[rj.source];
  const reason = source?.reasons[rj.reason] ?? `reason ${rj.reason}`;
  return `rejected ${result} by the ${source?.name ?? `source ${rj.source}`}: ${reason}`;
}

/** Words of PS3.8 Table 9-26, significant only when the provider aborts. */
const ABORT_REASONS: Record<number, string> = {
  0: 'reason not specified',
  1: 'unrecognised PDU',
  2: 'unexpected PDU',
  4: 'unrecognised PDU parameter',
  5: 'unexpected PDU parameter',
  6: 'invalid PDU parameter value',
};

/** An A-ABORT in words, PS3.8 section 9.3.8. */
export function describeAbort(abort: Abort): string {
  if (abort.source === 0) return 'aborted by its service user';
  return `aborted by its service provider: ${ABORT_REASONS[abort.reason] ?? `reason ${abort.reason}`}`;
}

/** Words of PS3.8 Table 9-18. */
export const CONTEXT_RESULTS = [
  'accepted',
  'refused by the user',
  'refused without a reason',
  'abstract syntax not supported',
  'transfer syntaxes not supported',
] as const satisfies Record<ContextResult, string>;
