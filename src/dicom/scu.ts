import type { ConnectionOptions } from 'node:tls';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type Failure, failure } from '../lib/errors.ts';
import { Association, type AssociationTimeouts } from './association.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from './implementation.ts';
import { checkAeTitle } from './upper-layer/ae-title.ts';
import { APPLICATION_CONTEXT, type AssociateRj, type AssociateRq } from './upper-layer/pdu.ts';
import { describeRejection } from './upper-layer/reasons.ts';
import { connectTransport } from './upper-layer/transport.ts';
import { UpperLayer, type UpperLayerUser } from './upper-layer/upper-layer.ts';

export interface PresentationContextRequest {
  abstractSyntax: string;
  /** The peer picks one: ask in contexts of their own for syntaxes that must all be usable. */
  transferSyntaxes: readonly string[];
}

/** Milliseconds; 0 means no limit. */
export interface ScuTimeouts extends AssociationTimeouts {
  connectMs: number;
  /** From A-ASSOCIATE-RQ to the answer. */
  associateMs: number;
  /** After an abort, how long the peer may take to close (ARTIM, PS3.8 section 9.1.5); never 0. */
  artimMs: number;
}

const DEFAULT_TIMEOUTS: ScuTimeouts = {
  connectMs: 5_000,
  associateMs: 10_000,
  dimseMs: 60_000,
  releaseMs: 5_000,
  idleMs: 0,
  artimMs: 2_000,
};

export interface OpenAssociationOptions {
  host: string;
  port: number;
  calledAeTitle: string;
  /** @default 'YEETER' */
  callingAeTitle?: string;
  /** 1 to 128. */
  contexts: readonly PresentationContextRequest[];
  /** The longest P-DATA-TF we receive, in bytes; 0 is unlimited. @default 131072 */
  maxPduBytes?: number;
  timeouts?: Partial<ScuTimeouts>;
  /**
   * Requests outstanding at once. Above 1 the Asynchronous Operations Window is asked for (PS3.7 Annex D.3.3.3),
   * and what the peer grants is used. @default 1
   */
  maxInFlight?: number;
  /** Aborts the opening or the association. */
  signal?: AbortSignal;
  tls?: ConnectionOptions;
  clock?: Clock;
}

export type OpenResult =
  | { ok: true; association: Association; connectUs: number; associateUs: number }
  | (Failure & { rejection?: AssociateRj });

const MAX_CONTEXTS = 128;

function checkOptions(options: OpenAssociationOptions): Failure | null {
  const { contexts, calledAeTitle, callingAeTitle = DEFAULT_CALLING } = options;
  if (contexts.length < 1 || contexts.length > MAX_CONTEXTS) {
    return failure(
      'USAGE',
      `an association has 1 to ${MAX_CONTEXTS} presentation contexts, not ${contexts.length}: use several associations`,
    );
  }
  const bare = contexts.find((context) => context.transferSyntaxes.length === 0);
  if (bare !== undefined) {
    return failure('USAGE', `the presentation context of ${bare.abstractSyntax} has no transfer syntax`);
  }
  return checkAeTitle(calledAeTitle, 'called AE title') ?? checkAeTitle(callingAeTitle, 'calling AE title');
}

const DEFAULT_CALLING = 'YEETER';

function associateRq(options: OpenAssociationOptions): AssociateRq {
  const { maxInFlight = 1 } = options;
  return {
    protocolVersion: 1,
    calledAeTitle: options.calledAeTitle,
    callingAeTitle: options.callingAeTitle ?? DEFAULT_CALLING,
    applicationContext: APPLICATION_CONTEXT,
    maxPduBytes: options.maxPduBytes ?? 131_072,
    implementationClassUid: IMPLEMENTATION_CLASS_UID,
    implementationVersionName: IMPLEMENTATION_VERSION_NAME,
    operationsWindow: maxInFlight > 1 ? { invoked: maxInFlight, performed: 1 } : undefined,
    contexts: options.contexts.map((context, index) => ({ id: 2 * index + 1, ...context })),
  };
}

/**
 * Opens an association as its requestor (PS3.8 section 7.1).
 *
 * Failures: `DICOM_AE_TITLE` and `USAGE` for the options; `CONNECT_REFUSED`, `CONNECT_TIMEOUT`, `NAME_NOT_FOUND`,
 * `CONNECT_FAILED`, `TLS_FAILED`; `DICOM_ASSOCIATION_REJECTED` (retryable when transient, with the peer's three numbers);
 * `DICOM_TIMEOUT`, `DICOM_CLOSED`, `DICOM_ABORTED`, `DICOM_PROTOCOL` when the peer does not answer as it should;
 * `CANCELLED` by the signal. A context that the peer refuses is not a failure here but of the request that needs it.
 */
export function openAssociation(options: OpenAssociationOptions): Promise<OpenResult> {
  const bad = checkOptions(options);
  if (bad !== null) return Promise.resolve(bad);
  const peer = `DICOM peer ${options.calledAeTitle.trim()} at ${options.host}:${options.port}`;
  const cancelled = failure('CANCELLED', `${peer}: cancelled`);
  if (options.signal?.aborted) return Promise.resolve(cancelled);
  return new Promise((resolve) => open(options, peer, cancelled, resolve));
}

function open(
  options: OpenAssociationOptions,
  peer: string,
  cancelled: Failure,
  resolve: (result: OpenResult) => void,
): void {
  const { host, port, tls, signal, clock = systemClock, maxInFlight = 1 } = options;
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const rq = associateRq(options);
  const startedUs = clock.monotonicUs();
  let openUs = 0;
  let timer: NodeJS.Timeout | undefined;
  const limit = (ms: number, cause: () => Failure): void => {
    clearTimeout(timer);
    if (ms > 0) timer = setTimeout(() => layer.abort(cause()), ms);
  };
  const onAbort = (): void => layer.abort(cancelled);
  const over = (cause: Failure & { rejection?: AssociateRj }): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    resolve(cause);
    association.end(cause);
  };

  const user: UpperLayerUser = {
    associateIndicated: () => {},
    associateConfirmed: (ac) => {
      clearTimeout(timer);
      association.established(ac, maxInFlight);
      resolve({
        ok: true,
        association,
        connectUs: openUs - startedUs,
        associateUs: clock.monotonicUs() - openUs,
      });
    },
    associateRefused: (rejection) => {
      const message = `${peer}: the association was ${describeRejection(rejection)}`;
      over({ ...failure('DICOM_ASSOCIATION_REJECTED', message, rejection.result === 2), rejection });
    },
    fragment: (contextId, control, chunk, start, end, last) =>
      association.fragment(contextId, control, chunk, start, end, last),
    releaseIndicated: () => {
      if (layer.state === 'Sta8') over(failure('DICOM_CLOSED', `${peer}: the peer released the association`));
    },
    releaseConfirmed: () => {
      signal?.removeEventListener('abort', onAbort);
      association.released();
    },
    aborted: over,
    closed: () => association.disconnected(),
  };
  const layer = new UpperLayer({
    requestor: true,
    user,
    peer,
    artimMs: timeouts.artimMs,
    maxPduBytes: rq.maxPduBytes,
    connectFallback: tls === undefined ? 'CONNECT_FAILED' : 'TLS_FAILED',
  });
  const association = new Association({ layer, contexts: rq.contexts, timeouts, clock });

  signal?.addEventListener('abort', onAbort, { once: true });
  limit(timeouts.connectMs, () =>
    failure(
      'CONNECT_TIMEOUT',
      `${peer}: no connection within ${timeouts.connectMs} ms: check host, port and firewall`,
    ),
  );
  layer.associate(rq, (onOpen) =>
    connectTransport(
      { host, port, tls },
      (chunk, length) => {
        layer.receive(chunk, length);
        return true;
      },
      () => {
        openUs = clock.monotonicUs();
        limit(timeouts.associateMs, () =>
          failure(
            'DICOM_TIMEOUT',
            `${peer}: no answer to the association request within ${timeouts.associateMs} ms`,
          ),
        );
        onOpen();
      },
    ),
  );
}
