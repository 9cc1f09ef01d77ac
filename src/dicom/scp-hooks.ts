import type { Failure } from '../lib/errors.ts';
import type { AssociateRj, AssociateRq } from './upper-layer/pdu.ts';

export interface StoreInfo {
  /** Counts the associations of this receiver, from 1. */
  associationNumber: number;
  callingAeTitle: string;
  calledAeTitle: string;
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
}

/**
 * How a C-STORE is answered: a status, or a fault: A-ABORT, a closed connection, or no answer at all.
 */
export type StoreReply = number | 'abort' | 'close' | 'silent';

/** Takes one data set as it arrives. */
export interface StoreReceiver {
  /**
   * A piece, valid only during the call. A promise pauses the connection until it settles; pieces that had been
   * read already still come.
   */
  chunk?(data: Buffer): void | Promise<void>;
  /** All `bytes` have come. */
  end(bytes: number): StoreReply | Promise<StoreReply>;
  /** The association ended in the middle. */
  cancelled?(): void;
}

/** A request of a service other than storage and verification, whole. */
export interface ServiceRequest {
  commandField: number;
  sopClassUid: string;
  /** Affected or Requested SOP Instance UID; null where the request has none. */
  sopInstanceUid: string | null;
  transferSyntaxUid: string;
  callingAeTitle: string;
  /** In that transfer syntax; null where none came. */
  dataSet: Buffer | null;
}

/** A response with what it says besides its status, or a fault. */
export type ServiceReply =
  | Exclude<StoreReply, number>
  | {
      status: number;
      errorId?: number;
      errorComment?: string;
      /** Identifiers of pending responses that go before it (C-FIND), until the peer cancels. */
      matches?: Iterable<Buffer> | AsyncIterable<Buffer>;
    };

export interface ScpHooks {
  /** A rejection, or a fault instead of an answer; null accepts. */
  onAssociate?: (rq: AssociateRq) => AssociateRj | 'abort' | 'close' | 'silent' | null;
  /** A reply alone counts the bytes and drops them; a fault strikes at once, in the middle of the data set. */
  onStore?: (info: StoreInfo) => StoreReceiver | StoreReply;
  /** @default answers success */
  onEcho?: () => StoreReply | Promise<StoreReply>;
  /** C-FIND, N-CREATE and N-SET of the `services`. @default unrecognised operation */
  onRequest?: (request: ServiceRequest) => ServiceReply | Promise<ServiceReply>;
  /** The association is over; null when it was released. */
  onEnd?: (associationNumber: number, cause: Failure | null) => void;
}

/** Counted by the receiver itself, whatever the hooks do. */
export interface ScpCounters {
  associationsAccepted: number;
  associationsRejected: number;
  /** Ended otherwise than by release. */
  associationsFailed: number;
  echoes: number;
  /** Data sets that came in whole. */
  instances: number;
  /** Bytes of data sets, of those that broke off as well. */
  bytes: number;
  /** C-STORE answered with a status other than success and the warnings, or by a fault. */
  storesRefused: number;
}

/** What the associations of one receiver share. */
export interface ScpContext {
  readonly hooks: ScpHooks;
  readonly counters: ScpCounters;
  readonly acceptsAbstractSyntax: (uid: string) => boolean;
  readonly acceptsTransferSyntax: (uid: string, abstractSyntax: string) => boolean;
  readonly maxPduBytes: number;
  readonly maxOperations: number;
  readonly artimMs: number;
  readonly idleMs: number;
  /** Null accepts; called before the hook. */
  readonly refuse: (rq: AssociateRq) => AssociateRj | null;
}
