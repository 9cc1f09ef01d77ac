import { hash } from 'node:crypto';

/** What makes a job the same job, whoever publishes it and however often. */
export interface JobKey {
  deploymentId: string;
  runId: number;
  /** Patient number, from 1. */
  iteration: number;
  /** From 1. */
  segment: number;
}

const RUN_BITS = 32;
const ITERATION_BITS = 28;
const SEGMENT_BITS = 12;

/** Of what the other fields have no room for. */
interface Digest {
  of: string;
  hex: string;
}
let last: Digest = { of: '', hex: '' };

const low = (value: number, bits: number): string => (value % 2 ** bits).toString(16).padStart(bits / 4, '0');
const high = (value: number, bits: number): number => Math.floor(value / 2 ** bits);

/**
 * A UUID (RFC 9562 version 8) that is a pure function of its key: 32 bits of the run, 28 of the iteration, 12 of the
 * segment, and 48 of a digest of the deployment and of what has no room in these. Ids of a run ascend with its patients,
 * so that rows of jobs lie side by side in the ledger's indexes; and whoever sees one sees the run and the patient.
 */
export function jobIdOf({ deploymentId, runId, iteration, segment }: JobKey): string {
  const rest = [high(runId, RUN_BITS), high(iteration, ITERATION_BITS), high(segment, SEGMENT_BITS)];
  const of = `${deploymentId}\u001f${rest.join('\u001f')}`;
  if (last.of !== of) last = { of, hex: hash('sha256', of, 'hex').slice(0, 12) };
  const patient = low(iteration, ITERATION_BITS);
  return `${low(runId, RUN_BITS)}-${patient.slice(0, 4)}-8${patient.slice(4)}-8${low(segment, SEGMENT_BITS)}-${last.hex}`;
}
