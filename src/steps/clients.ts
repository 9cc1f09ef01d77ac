import type { Association } from '../dicom/association.ts';
import { openAssociation, type PresentationContextRequest } from '../dicom/scu.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import { createMllpPool, type MllpPool } from '../hl7/mllp-pool.ts';
import { type Failure, failure, YeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { createSemaphore, type Semaphore } from '../lib/semaphore.ts';

/** What an endpoint may be asked for, over all steps and patients of this process. */
export interface EndpointLimits {
  /** MLLP connections, or DICOM associations, open at a time. */
  maxConnections: number;
}

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
      /** Ends the lease: releases the association, keeps it open, or aborts it when it is broken. */
      end(broken: boolean): Promise<void>;
    }
  | (Failure & { openUs: number | null });

export interface DicomClient {
  lease(request: AssociationRequest, signal: AbortSignal): Promise<AssociationLease>;
}

/** Connections to the systems under test, shared by all patients of a run in this process. */
export interface Clients extends Closeable {
  mllp(endpoint: string, timeoutMs: number): MllpPool;
  dicom(endpoint: string): DicomClient;
}

export interface ClientsOptions {
  endpoints: Readonly<Record<string, Endpoint>>;
  limits: (endpoint: Endpoint) => EndpointLimits;
  /** Told of the application acknowledgements of enhanced mode, which come after the send has ended. */
  onApplicationAck: (latencyUs: number, accepted: boolean) => void;
}

const DEFAULT_CALLING_AE_TITLE = 'YEETER';

export function createClients({ endpoints, limits, onApplicationAck }: ClientsOptions): Clients {
  const pools = new Map<string, MllpPool>();
  const dicomClients = new Map<string, DicomClient & Closeable>();

  const endpointNamed = (name: string): Endpoint => {
    const endpoint = endpoints[name];
    if (endpoint) return endpoint;
    const known = Object.keys(endpoints).join(', ') || 'none';
    throw new YeeterError('TEMPLATE_INVALID', `endpoint "${name}" is not defined; known are: ${known}`);
  };

  const mllp = (name: string, timeoutMs: number): MllpPool => {
    const key = `${name} ${timeoutMs}`;
    let pool = pools.get(key);
    if (!pool) {
      const endpoint = endpointNamed(name);
      pool = createMllpPool({
        host: endpoint.hostname,
        port: endpoint.port,
        connections: limits(endpoint).maxConnections,
        responseTimeoutMs: timeoutMs,
        onApplicationAck: ({ code, latencyUs }) => onApplicationAck(latencyUs, code === 'AA'),
      });
      pools.set(key, pool);
    }
    return pool;
  };

  const dicom = (name: string): DicomClient => {
    let client = dicomClients.get(name);
    if (!client) {
      const endpoint = endpointNamed(name);
      client = createDicomClient(endpoint, createSemaphore(limits(endpoint).maxConnections));
      dicomClients.set(name, client);
    }
    return client;
  };

  const close = async (): Promise<void> => {
    const all = [...pools.values(), ...dicomClients.values()];
    await Promise.all(all.map((client) => client.close()));
  };

  return { mllp, dicom, close, [Symbol.asyncDispose]: close };
}

function createDicomClient(endpoint: Endpoint, slots: Semaphore): DicomClient & Closeable {
  const kept = new Map<string, Association[]>();

  const takeKept = (callingAeTitle: string): Association | null => {
    const idle = kept.get(callingAeTitle) ?? [];
    for (let association = idle.pop(); association; association = idle.pop()) {
      if (association.ended === null) return association;
    }
    return null;
  };

  const giveBack = async (association: Association, callingAeTitle: string): Promise<void> => {
    const idle = kept.get(callingAeTitle);
    if (idle) idle.push(association);
    else kept.set(callingAeTitle, [association]);
  };

  const lease = async (request: AssociationRequest, signal: AbortSignal): Promise<AssociationLease> => {
    if (!(await slots.acquire(signal))) {
      return { ...failure('CANCELLED', `${endpoint.name}: the run was cancelled`), openUs: null };
    }
    const callingAeTitle = endpoint.callingAeTitle ?? request.callingAeTitle;
    const end =
      (association: Association) =>
      async (broken: boolean): Promise<void> => {
        if (association.ended === null && (broken || signal.aborted)) await association.abort();
        else if (broken) await association.closed;
        else if (request.keepOpen) await giveBack(association, callingAeTitle);
        else await association.release();
        slots.release();
      };
    const idle = request.keepOpen ? takeKept(callingAeTitle) : null;
    if (idle) return { ok: true, association: idle, openUs: null, end: end(idle) };
    const opened = await openAssociation({
      host: endpoint.hostname,
      port: endpoint.port,
      calledAeTitle: endpoint.aeTitle ?? 'ANY-SCP',
      callingAeTitle: callingAeTitle || DEFAULT_CALLING_AE_TITLE,
      contexts: request.contexts,
      maxInFlight: request.maxInFlight,
      timeouts: { dimseMs: request.timeoutMs },
      signal,
    });
    if (!opened.ok) {
      slots.release();
      return { ...opened, openUs: null };
    }
    const openUs = opened.connectUs + opened.associateUs;
    return { ok: true, association: opened.association, openUs, end: end(opened.association) };
  };

  const close = async (): Promise<void> => {
    const idle = [...kept.values()].flat();
    kept.clear();
    await Promise.all(idle.map((association) => association.release()));
  };

  return { lease, close, [Symbol.asyncDispose]: close };
}
