import type { Association } from '../dicom/association.ts';
import type { Timing } from '../dicom/dimse-service.ts';
import type { PresentationContextRequest } from '../dicom/scu.ts';
import { type Failure, failure } from '../lib/errors.ts';
import type { StepCall, StepEnvironment } from './step.ts';

interface Asking {
  endpoint: string;
  timeoutMs: number;
  callingAeTitle: string;
  contexts: readonly PresentationContextRequest[];
}

type Answer = ({ ok: true } & Timing) | (Failure & Partial<Timing>);

/**
 * One request on an association of its own, within the limits of the endpoint. The association is timed as
 * `dicom_association`; how long the request took on the wire is `serviceUs` of the answer, absent when it was not sent.
 */
export async function askDicom<A extends Answer>(
  { endpoint, ...asking }: Asking,
  { state }: StepCall,
  { clients, recorder, signal }: StepEnvironment,
  ask: (association: Association) => Promise<A>,
): Promise<A | (Failure & Partial<Timing>)> {
  const lease = await clients.dicom(endpoint).lease({ ...asking, maxInFlight: 1, keepOpen: false }, signal);
  if (lease.openUs !== null) {
    state.accounts.sutUs += lease.openUs;
    recorder.record('dicom_association', lease.openUs, lease.ok);
  }
  if (!lease.ok) return lease;
  if (!(await lease.pass(0))) {
    await lease.end(false);
    return failure('CANCELLED', 'the limits of the endpoint or a cancel ended the run');
  }
  const answer = await ask(lease.association);
  state.accounts.sutUs += answer.serviceUs ?? 0;
  await lease.end(false);
  return answer;
}
