import { createServer } from 'node:net';
import { networkError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { VERIFICATION_SOP_CLASS } from './dimse.ts';
import { ScpAssociation } from './scp-association.ts';
import type { ScpContext, ScpCounters, ScpHooks } from './scp-hooks.ts';
import { isStorageSopClass, STORABLE_TRANSFER_SYNTAXES } from './transfer-syntaxes.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from './uids.ts';
import { APPLICATION_CONTEXT, type AssociateRj, type AssociateRq } from './upper-layer/pdu.ts';
import { adoptTransport } from './upper-layer/transport.ts';

export interface DicomScpOptions extends ScpHooks {
  /** @default '127.0.0.1' */
  host?: string;
  /** 0 takes a free one. @default 0 */
  port?: number;
  /** When set, a request for any other called AE title is rejected for good. */
  aeTitle?: string;
  /** SOP classes; Verification is always among them. @default 'all-storage' */
  acceptedAbstractSyntaxes?: 'all-storage' | readonly string[];
  /** SOP classes that `onRequest` answers, besides; in Implicit and Explicit VR Little Endian. @default none */
  services?: readonly string[];
  /** @default every transfer syntax of PS3.5 that bytes can be kept in */
  transferSyntaxes?: readonly string[];
  /** The longest P-DATA-TF we receive, in bytes; 0 is unlimited. @default 131072 */
  maxPduBytes?: number;
  /** More are rejected for now ("local limit exceeded"). @default unlimited */
  maxAssociations?: number;
  /** Requests that a peer may have outstanding, when it asks (PS3.7 Annex D.3.3.3). @default 1 */
  maxOperations?: number;
  /** ARTIM (PS3.8 section 9.1.5): awaiting a request, or the end of the connection. @default 30000 */
  artimMs?: number;
  /** An association on which nothing comes for one to two times as long is aborted; 0 never. @default 0 */
  idleMs?: number;
}

export interface DicomScp extends Closeable {
  readonly host: string;
  readonly port: number;
  readonly counters: Readonly<ScpCounters>;
  /** Associations that are open now. */
  readonly associations: number;
  /**
   * Takes no more connections, lets messages under way be answered, aborts what is idle, and closes the rest
   * after `graceMs`. @default 1000
   */
  close(graceMs?: number): Promise<void>;
}

/** Large enough that an instance takes few reads, small enough to stay in a processor's cache. */
const READ_BUFFER_BYTES = 262_144;

const LITTLE_ENDIAN: ReadonlySet<string> = new Set([EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN]);

const VERDICTS = {
  applicationContext: { result: 1, source: 1, reason: 2 },
  calledAeTitle: { result: 1, source: 1, reason: 7 },
  localLimit: { result: 2, source: 3, reason: 2 },
} as const satisfies Record<string, AssociateRj>;

/**
 * A storage and verification SCP (PS3.4 Annexes A and B), and of other `services` when they are given. Data sets pass through as they arrive and are not kept.
 * @throws `PORT_IN_USE` and other network errors when it cannot listen
 */
export async function createDicomScp(options: DicomScpOptions = {}): Promise<DicomScp> {
  const { host = '127.0.0.1', port = 0 } = options;
  const open = new Set<ScpAssociation>();
  const counters: ScpCounters = {
    associationsAccepted: 0,
    associationsRejected: 0,
    associationsFailed: 0,
    echoes: 0,
    instances: 0,
    bytes: 0,
    storesRefused: 0,
  };
  const context = scpContext(options, counters, () => active(open));
  const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  let number = 0;
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
    const peer = `DICOM peer ${accepted.remoteAddress}:${accepted.remotePort}`;
    const association = new ScpAssociation(context, ++number, peer, () => {
      open.delete(association);
      if (open.size === 0) onEmpty?.();
    });
    open.add(association);
    association.start(
      adoptTransport(accepted, buffer, (chunk, length) => association.receive(chunk, length)),
    );
  });
  let onEmpty: (() => void) | null = null;
  await listen(server, host, port);
  const address = server.address();
  let closing: Promise<void> | null = null;

  const shutDown = async (graceMs: number): Promise<void> => {
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const association of open) association.finish();
    if (open.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          for (const association of open) association.destroy();
        }, graceMs);
        onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await stopped;
  };
  const close = (graceMs = 1_000): Promise<void> => {
    closing ??= shutDown(graceMs);
    return closing;
  };

  return {
    host,
    port: typeof address === 'object' && address !== null ? address.port : port,
    counters,
    get associations() {
      return active(open);
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

function active(open: ReadonlySet<ScpAssociation>): number {
  let count = 0;
  for (const association of open) if (association.active) count++;
  return count;
}

function scpContext(options: DicomScpOptions, counters: ScpCounters, count: () => number): ScpContext {
  const { acceptedAbstractSyntaxes = 'all-storage', maxAssociations = Number.POSITIVE_INFINITY } = options;
  const abstractSyntaxes =
    acceptedAbstractSyntaxes === 'all-storage' ? null : new Set(acceptedAbstractSyntaxes);
  const transferSyntaxes = new Set(options.transferSyntaxes ?? STORABLE_TRANSFER_SYNTAXES);
  const services = new Set(options.services);
  const aeTitle = options.aeTitle?.trim();
  return {
    hooks: options,
    counters,
    acceptsAbstractSyntax: (uid) =>
      uid === VERIFICATION_SOP_CLASS ||
      services.has(uid) ||
      (abstractSyntaxes?.has(uid) ?? isStorageSopClass(uid)),
    acceptsTransferSyntax: (uid, abstractSyntax) =>
      services.has(abstractSyntax) ? LITTLE_ENDIAN.has(uid) : transferSyntaxes.has(uid),
    maxPduBytes: options.maxPduBytes ?? 131_072,
    maxOperations: options.maxOperations ?? 1,
    artimMs: options.artimMs ?? 30_000,
    idleMs: options.idleMs ?? 0,
    refuse: (rq: AssociateRq): AssociateRj | null => {
      if (rq.applicationContext !== APPLICATION_CONTEXT) return VERDICTS.applicationContext;
      if (aeTitle !== undefined && rq.calledAeTitle !== aeTitle) return VERDICTS.calledAeTitle;
      return count() >= maxAssociations ? VERDICTS.localLimit : null;
    },
  };
}

function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(networkError(error, `DICOM receiver on ${host}:${port}`));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve();
    });
  });
}
