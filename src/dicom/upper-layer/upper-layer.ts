import type { Socket } from 'node:net';
import { type ErrorCode, type Failure, failure, networkError, toYeeterError } from '../../lib/errors.ts';
import type { Command } from '../dimse.ts';
import { type DataSetParts, PDataWriter } from './p-data-writer.ts';
import {
  type AssociateAc,
  type AssociateRj,
  type AssociateRq,
  decodeAbort,
  decodeAssociateAc,
  decodeAssociateRj,
  decodeAssociateRq,
  encodeAbort,
  encodeAssociateAc,
  encodeAssociateRj,
  encodeAssociateRq,
  encodeReleaseRp,
  encodeReleaseRq,
  PDU_TYPE,
} from './pdu.ts';
import { type InvalidPdu, PduReader, type PduSink } from './pdu-reader.ts';
import { describeAbort } from './reasons.ts';
import { type Action, type Event, type State, transition } from './state-table.ts';

/** What the layer tells its user: the indications and confirmations of PS3.8 section 7. */
export interface UpperLayerUser {
  /** A-ASSOCIATE indication (acceptor). */
  associateIndicated(rq: AssociateRq): void;
  /** A-ASSOCIATE confirmation (requestor). */
  associateConfirmed(ac: AssociateAc): void;
  associateRefused(rj: AssociateRj): void;
  /** A piece of a PDV (P-DATA indication); `chunk` is valid only during the call. */
  fragment(
    contextId: number,
    control: number,
    chunk: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): void;
  /** A-RELEASE indication; the layer answers it when this returns. */
  releaseIndicated(): void;
  releaseConfirmed(): void;
  /** A-ABORT or A-P-ABORT indication, or the end of the transport: the association is over, and why. */
  aborted(cause: Failure): void;
  /** The transport is gone; nothing follows. */
  closed(): void;
}

export interface UpperLayerOptions {
  requestor: boolean;
  user: UpperLayerUser;
  /** The peer in messages, such as "DICOM peer PACS at 10.0.0.1:104". */
  peer: string;
  /** Association request, reject and release timer (PS3.8 section 9.1.5), in milliseconds. */
  artimMs: number;
  /** The longest P-DATA-TF we receive; 0 is unlimited. */
  maxPduBytes: number;
  /** How a failure to connect that has no code of its own is called. @default 'CONNECT_FAILED' */
  connectFallback?: ErrorCode;
}

/** What an action may need besides the machine's own fields. */
interface EventData {
  rq?: AssociateRq;
  ac?: AssociateAc;
  rj?: AssociateRj;
  cause?: Failure;
  /** For A-ABORT of the service provider, PS3.8 Table 9-26. */
  abortReason?: number;
}

const PROVIDER_ABORT = 2;
const UNEXPECTED_PDU = 2;
const NOTHING: EventData = {};

/**
 * One association's end of the upper layer protocol (PS3.8 section 9.2): the state table drives it, and P-DATA in
 * Sta6 passes it by a single comparison.
 */
export class UpperLayer implements PduSink {
  /** What each action of PS3.8 Tables 9-6 to 9-9 does; the state has changed already when it runs. */
  static readonly #ACTIONS: Record<Action, (layer: UpperLayer, data: EventData) => void> = {
    /** Table 9-6: the transport connect request is issued by `associate`. */
    'AE-1': () => {},
    'AE-2': (layer, { rq }) => layer.#write(encodeAssociateRq(rq!)),
    'AE-3': (layer, { ac }) => layer.#user.associateConfirmed(ac!),
    'AE-4': (layer, { rj }) => {
      layer.#closeTransport();
      layer.#user.associateRefused(rj!);
    },
    'AE-5': (layer) => layer.#startArtim(),
    'AE-6': (layer, { rq }) => {
      layer.#stopArtim();
      if (layer.#state === 'Sta3') {
        layer.#user.associateIndicated(rq!);
        return;
      }
      layer.#write(encodeAssociateRj({ result: 1, source: 2, reason: 2 }));
      layer.#startArtim();
    },
    'AE-7': (layer, { ac }) => layer.#write(encodeAssociateAc(ac!)),
    'AE-8': (layer, { rj }) => {
      layer.#write(encodeAssociateRj(rj!));
      layer.#startArtim();
    },
    /** Table 9-7: `send` and `fragment` are these two, without a way through the table. */
    'DT-1': () => {},
    'DT-2': () => {},
    'AR-1': (layer) => layer.#write(encodeReleaseRq()),
    'AR-2': (layer) => {
      layer.#user.releaseIndicated();
      layer.#dispatch('release-response');
    },
    'AR-3': (layer) => {
      layer.#closeTransport();
      layer.#user.releaseConfirmed();
    },
    'AR-4': (layer) => {
      layer.#write(encodeReleaseRp());
      layer.#startArtim();
    },
    'AR-5': (layer) => layer.#stopArtim(),
    /** Table 9-8: as DT-2 and DT-1. */
    'AR-6': () => {},
    'AR-7': () => {},
    'AR-8': (layer) => {
      layer.#user.releaseIndicated();
      // The acceptor answers in Sta12, after the requestor's own answer.
      if (layer.#state === 'Sta9') layer.#dispatch('release-response');
    },
    'AR-9': (layer) => layer.#write(encodeReleaseRp()),
    'AR-10': (layer) => {
      layer.#user.releaseConfirmed();
      layer.#dispatch('release-response');
    },
    'AA-1': (layer) => {
      layer.#write(encodeAbort({ source: 0, reason: 0 }));
      layer.#startArtim();
    },
    'AA-2': (layer) => {
      layer.#stopArtim();
      layer.#closeTransport();
    },
    'AA-3': (layer, { cause }) => {
      layer.#closeTransport();
      layer.#user.aborted(cause!);
    },
    'AA-4': (layer, { cause }) => layer.#user.aborted(cause!),
    'AA-5': (layer) => layer.#stopArtim(),
    'AA-6': () => {},
    'AA-7': (layer) => layer.#write(encodeAbort({ source: PROVIDER_ABORT, reason: UNEXPECTED_PDU })),
    'AA-8': (layer, { cause, abortReason }) => {
      layer.#write(encodeAbort({ source: PROVIDER_ABORT, reason: abortReason ?? 0 }));
      layer.#startArtim();
      layer.#user.aborted(cause!);
    },
  };

  readonly #options: UpperLayerOptions;
  readonly #user: UpperLayerUser;
  readonly #reader: PduReader;
  #state: State = 'Sta1';
  #socket: Socket | null = null;
  #writer: PDataWriter | null = null;
  #artim: NodeJS.Timeout | null = null;
  #socketError: Error | null = null;

  constructor(options: UpperLayerOptions) {
    this.#options = options;
    this.#user = options.user;
    this.#reader = new PduReader(this, options.maxPduBytes);
  }

  get state(): State {
    return this.#state;
  }

  get peer(): string {
    return this.#options.peer;
  }

  /** A-ASSOCIATE request: `connect` opens the transport and the request follows once it is open. */
  associate(rq: AssociateRq, connect: (onOpen: () => void) => Socket): void {
    // AE-1
    this.#dispatch('associate-request');
    this.#attach(connect(() => this.#dispatch('transport-open', { rq })));
  }

  /** Transport connection indication: a peer has connected to us. */
  accept(socket: Socket): void {
    this.#attach(socket);
    this.#dispatch('transport-indication');
  }

  /** A-ASSOCIATE response, accepting; `peerMaxPduBytes` bounds what we send. */
  acceptAssociation(ac: AssociateAc, peerMaxPduBytes: number): void {
    if (this.#openWriter(peerMaxPduBytes)) this.#dispatch('associate-accept', { ac });
  }

  /** A-ASSOCIATE response, rejecting. */
  rejectAssociation(rj: AssociateRj): void {
    this.#dispatch('associate-reject', { rj });
  }

  /** A-RELEASE request. */
  release(): void {
    this.#dispatch('release-request');
  }

  /** A-ABORT request; the user gets `cause` as its indication. Does nothing when the association is over. */
  abort(cause: Failure): void {
    if (this.#state === 'Sta1' || this.#state === 'Sta13') return;
    if (this.#state === 'Sta2') this.destroy();
    else this.#dispatch('abort-request');
    this.#user.aborted(cause);
  }

  /** Closes the transport at once, without a word to the peer. */
  destroy(): void {
    this.#stopArtim();
    this.#state = 'Sta1';
    this.#closeTransport();
  }

  /**
   * P-DATA request: one DIMSE message, as `PDataWriter.write` does it. In a state that cannot send (PS3.8
   * Table 9-10, Evt9) nothing is written and `undefined` returned.
   */
  send(
    contextId: number,
    command: Command,
    parts: DataSetParts,
    flushed: (last: boolean) => void,
  ): Promise<void> | null | undefined {
    // DT-1 and AR-7 leave the state as it is.
    if (this.#writer === null || (this.#state !== 'Sta6' && this.#state !== 'Sta8')) return undefined;
    return this.#writer.write(contextId, command, parts, flushed);
  }

  /** Bytes from the transport. */
  receive(chunk: Buffer, length: number): void {
    this.#reader.feed(chunk, 0, length);
  }

  /** The header of a P-DATA-TF (Evt10): DT-2 in Sta6 and AR-6 in Sta7 change nothing. */
  dataPdu(): boolean {
    if (this.#state === 'Sta6') return true;
    this.#dispatch('data-pdu', this.#unexpected('P-DATA-TF'));
    return this.#state === 'Sta7';
  }

  fragment(
    contextId: number,
    control: number,
    chunk: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): void {
    this.#user.fragment(contextId, control, chunk, start, end, last);
  }

  /** A whole PDU other than P-DATA-TF (Evt3, 4, 6, 12, 13 and 16). */
  pdu(type: number, body: Buffer): void {
    try {
      this.#controlPdu(type, body);
    } catch (error) {
      this.invalid({ reason: 6, message: toYeeterError(error).message });
    }
  }

  /** Evt19. The stream cannot be followed any further, so all that comes later is dropped. */
  invalid(fault: InvalidPdu): void {
    this.#reader.stop();
    this.#dispatch('invalid-pdu', {
      cause: failure('DICOM_PROTOCOL', `${this.peer}: ${fault.message}`),
      abortReason: fault.reason,
    });
  }

  #controlPdu(type: number, body: Buffer): void {
    if (type === PDU_TYPE.associateRq) {
      const rq = decodeAssociateRq(body);
      this.#dispatch('associate-rq-pdu', { ...this.#unexpected('A-ASSOCIATE-RQ'), rq });
    } else if (type === PDU_TYPE.associateAc) {
      this.#associateAc(decodeAssociateAc(body));
    } else if (type === PDU_TYPE.associateRj) {
      const rj = decodeAssociateRj(body);
      this.#dispatch('associate-rj-pdu', { ...this.#unexpected('A-ASSOCIATE-RJ'), rj });
    } else if (type === PDU_TYPE.releaseRq) {
      this.#dispatch('release-rq-pdu', this.#unexpected('A-RELEASE-RQ'));
    } else if (type === PDU_TYPE.releaseRp) {
      this.#dispatch('release-rp-pdu', this.#unexpected('A-RELEASE-RP'));
    } else {
      const cause = `${this.peer}: the association was ${describeAbort(decodeAbort(body))}`;
      this.#dispatch('abort-pdu', { cause: failure('DICOM_ABORTED', cause) });
    }
  }

  #associateAc(ac: AssociateAc): void {
    if (this.#state === 'Sta5' && !this.#openWriter(ac.maxPduBytes)) return;
    this.#dispatch('associate-ac-pdu', { ...this.#unexpected('A-ASSOCIATE-AC'), ac });
  }

  /** False when the peer's limit leaves no room for data; the association is then aborted. */
  #openWriter(peerMaxPduBytes: number): boolean {
    try {
      this.#writer = new PDataWriter(this.#socket!, peerMaxPduBytes);
      return true;
    } catch (error) {
      this.invalid({ reason: 6, message: toYeeterError(error).message });
      return false;
    }
  }

  #attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#socketError = error;
    });
    socket.on('end', () => this.#transportClosed());
    socket.on('close', () => {
      this.#transportClosed();
      this.#user.closed();
    });
  }

  /** Evt17. */
  #transportClosed(): void {
    if (this.#state === 'Sta1') return;
    this.#dispatch('transport-closed', { cause: this.#closedCause() });
    this.#closeTransport();
  }

  #closedCause(): Failure {
    const { peer } = this.#options;
    if (this.#state === 'Sta4') {
      const error = networkError(
        this.#socketError ?? 'closed by the peer',
        peer,
        this.#options.connectFallback,
      );
      return failure(error.code, error.message, error.retryable);
    }
    const how = this.#socketError === null ? 'closed' : `broke (${this.#socketError.message})`;
    const where = this.#reader.atBoundary ? '' : ' in the middle of a PDU';
    return failure('DICOM_CLOSED', `${peer}: the connection ${how}${where} while ${AWAITED[this.#state]}`);
  }

  #unexpected(pdu: string): EventData {
    return {
      cause: failure('DICOM_PROTOCOL', `${this.peer}: unexpected ${pdu} while ${AWAITED[this.#state]}`),
      abortReason: UNEXPECTED_PDU,
    };
  }

  #dispatch(event: Event, data: EventData = NOTHING): void {
    // Bit 0 of the protocol version is version 1, PS3.8 section 9.3.2.
    const acceptable = data.rq === undefined || (data.rq.protocolVersion & 1) === 1;
    const found = transition(this.#state, event, this.#options.requestor, acceptable);
    if (found !== null) {
      this.#state = found.next;
      UpperLayer.#ACTIONS[found.action](this, data);
      return;
    }
    // A blank cell. Late timers and closings of an ended association mean nothing; all else is a fault.
    if (this.#state === 'Sta1' || this.#state === 'Sta13') return;
    const cause = failure(
      'DICOM_PROTOCOL',
      `${this.peer}: ${event} is not allowed while ${AWAITED[this.#state]}`,
    );
    this.#state = 'Sta13';
    UpperLayer.#ACTIONS['AA-8'](this, { cause, abortReason: 0 });
  }

  #write(bytes: Buffer): void {
    if (this.#socket !== null && !this.#socket.destroyed) this.#socket.write(bytes);
  }

  #startArtim(): void {
    this.#stopArtim();
    this.#artim = setTimeout(() => {
      this.#artim = null;
      this.#dispatch('artim-expired');
    }, this.#options.artimMs);
  }

  #stopArtim(): void {
    if (this.#artim !== null) clearTimeout(this.#artim);
    this.#artim = null;
  }

  #closeTransport(): void {
    this.#reader.stop();
    this.#socket?.destroy();
  }
}

/** What a state waits for, in messages. */
const AWAITED: Record<State, string> = {
  Sta1: 'idle',
  Sta2: 'an association request was awaited',
  Sta3: 'the association request was being decided',
  Sta4: 'connecting',
  Sta5: 'the answer to the association request was awaited',
  Sta6: 'the association was established',
  Sta7: 'the answer to the release request was awaited',
  Sta8: 'a release was being answered',
  Sta9: 'a release collision was being resolved',
  Sta10: 'a release collision was being resolved',
  Sta11: 'a release collision was being resolved',
  Sta12: 'a release collision was being resolved',
  Sta13: 'the end of the connection was awaited',
};
