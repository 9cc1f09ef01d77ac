import type { Association } from '../dicom/association.ts';
import { openAssociation, type PresentationContextRequest } from '../dicom/scu.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import type { Clock } from '../lib/clock.ts';
import { type Failure, failure } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import type { EndpointGate } from './endpoint-gate.ts';

export interface AssociationRequest {
  callingAeTitle: string;
  contexts: readonly PresentationContextRequest[];
  /** Asynchronous operations asked for; 1 asks for none. */
  maxInFlight: number;
  timeoutMs: number;
  /** Taken from, and given back to, the associations that are kept open for this calling AE title. */
  keepOpen: boolean;
}

export type AssociationLease =
  | {
      ok: true;
      association: Association;
      /** Connection and negotiation, microseconds; null when the association was open already. */
      openUs: number | null;
      /** Waits for the turn of an instance. @returns false when the endpoint may have no more, or on cancel */
      pass(sizeBytes: number): Promise<boolean>;
      /** Ends the lease: releases the association, keeps it open, or aborts it when it is broken. */
      end(broken: boolean): Promise<void>;
    }
  /** `openUs` is the time until it failed; null when nothing was tried. */
  | (Failure & { openUs: number | null });

/** Associations with one endpoint, within its limits. */
export interface DicomClient {
  lease(request: AssociationRequest, signal: AbortSignal): Promise<AssociationLease>;
}

interface KeptAssociation {
  callingAeTitle: string;
  association: Association;
}

export function createDicomClient(
  endpoint: Endpoint,
  gate: EndpointGate,
  clock: Clock,
): DicomClient & Closeable {
  let kept: KeptAssociation[] = [];

  const takeKept = (callingAeTitle: string): Association | null => {
    kept = kept.filter(({ association }) => association.ended === null);
    const at = kept.findIndex((candidate) => candidate.callingAeTitle === callingAeTitle);
    return at === -1 ? null : kept.splice(at, 1)[0]!.association;
  };

  gate.count({ idle: () => kept.length, closeIdle: async () => kept.shift()?.association.release() });

  const leaseOf = (
    association: Association,
    openUs: number | null,
    request: AssociationRequest,
    signal: AbortSignal,
  ): AssociationLease => ({
    ok: true,
    association,
    openUs,
    pass: (sizeBytes) => gate.pass(sizeBytes, signal),
    end: async (broken) => {
      if (association.ended !== null) await association.closed;
      else if (broken || signal.aborted) await association.abort();
      else if (request.keepOpen) kept.push({ callingAeTitle: request.callingAeTitle, association });
      else await association.release();
      gate.leave();
    },
  });

  const lease = async (request: AssociationRequest, signal: AbortSignal): Promise<AssociationLease> => {
    if (!(await gate.enter(signal))) {
      return { ...failure('CANCELLED', `${endpoint.name}: the run was cancelled`), openUs: null };
    }
    const idle = request.keepOpen ? takeKept(request.callingAeTitle) : null;
    if (idle) return leaseOf(idle, null, request, signal);
    await gate.makeRoom();
    const startedUs = clock.monotonicUs();
    const opened = await openAssociation({
      host: endpoint.hostname,
      port: endpoint.port,
      calledAeTitle: endpoint.aeTitle ?? 'ANY-SCP',
      callingAeTitle: endpoint.callingAeTitle ?? request.callingAeTitle,
      contexts: request.contexts,
      maxInFlight: request.maxInFlight,
      timeouts: { dimseMs: request.timeoutMs },
      signal,
    });
    if (opened.ok) {
      return leaseOf(opened.association, opened.connectUs + opened.associateUs, request, signal);
    }
    gate.leave();
    return { ...opened, openUs: clock.monotonicUs() - startedUs };
  };

  const close = async (): Promise<void> => {
    const open = kept;
    kept = [];
    await Promise.all(open.map(({ association }) => association.release()));
  };

  return { lease, close, [Symbol.asyncDispose]: close };
}
