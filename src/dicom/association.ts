import { type Clock, systemClock } from '../lib/clock.ts';
import { type Failure, failure, toYeeterError } from '../lib/errors.ts';
import type { Closeable } from '../lib/lifecycle.ts';
import { COMMAND_FIELD, type Command, RESPONSE_BIT, VERIFICATION_SOP_CLASS } from './dimse.ts';
import {
  type DimseRequest,
  type DimseResult,
  type EchoResult,
  type ReleaseResult,
  type StoreRequest,
  type StoreResult,
  storeResult,
  type Timing,
} from './dimse-service.ts';
import { describeStatus, isPending, STATUS } from './dimse-status.ts';
import { MessageReader, type MessageSink } from './message-reader.ts';
import { NegotiatedContexts } from './negotiated-contexts.ts';
import type { DataSetParts } from './upper-layer/p-data-writer.ts';
import type { AssociateAc, ProposedContext } from './upper-layer/pdu.ts';
import type { UpperLayer } from './upper-layer/upper-layer.ts';

/** Limits of an open association, in milliseconds; 0 means none. */
export interface AssociationTimeouts {
  /** Without a response, or without progress in sending, for so long the association is aborted. */
  dimseMs: number;
  releaseMs: number;
  /** Unused for so long it is released. */
  idleMs: number;
}

interface Operation {
  readonly contextId: number;
  readonly command: Command;
  readonly parts: DataSetParts;
  readonly onPending: DimseRequest['onPending'];
  readonly finish: (result: DimseResult) => void;
  bytes: number;
  cancelled: boolean;
  startedUs: number;
  /** When the last byte had left; 0 until then. */
  sentUs: number;
  /** The DIMSE timer counts from here. */
  progressUs: number;
}

/** A response's identifier larger than this is no worklist item. */
const MAX_RESPONSE_BYTES = 16 * 1_048_576;
const NO_PARTS: readonly Buffer[] = [];

interface AssociationDeps {
  layer: UpperLayer;
  contexts: readonly ProposedContext[];
  timeouts: AssociationTimeouts;
  clock?: Clock;
}

/**
 * An open association on which we are the SCU; made by `openAssociation`. Expected failures are results; when the
 * association ends, everything outstanding gets the reason of its end.
 */
export class Association implements Closeable {
  readonly #layer: UpperLayer;
  readonly #timeouts: AssociationTimeouts;
  readonly #clock: Clock;
  readonly #contexts: NegotiatedContexts;
  readonly #pending = new Map<number, Operation>();
  readonly #queue: Operation[] = [];
  readonly #reader: MessageReader;
  readonly #closed = Promise.withResolvers<void>();
  /** The response whose data set is arriving. */
  #response: Command | null = null;
  #dataSet: Buffer[] = [];
  #dataSetBytes = 0;
  #window = 1;
  #peerMaxPduBytes = 0;
  #messageId = 0;
  #sending = false;
  #lastUsedUs: number;
  #watch: NodeJS.Timeout | null = null;
  #ended: Failure | null = null;
  #releasing: Promise<ReleaseResult> | null = null;
  #onDrained: (() => void) | null = null;
  #onReleased: ((confirmed: boolean) => void) | null = null;

  constructor({ layer, contexts, timeouts, clock = systemClock }: AssociationDeps) {
    this.#layer = layer;
    this.#timeouts = timeouts;
    this.#clock = clock;
    this.#contexts = new NegotiatedContexts(contexts);
    this.#lastUsedUs = clock.monotonicUs();
    const sink: MessageSink = {
      command: (contextId, command) => this.#command(contextId, command),
      data: (chunk, start, end, last) => this.#data(chunk, start, end, last),
      broken: (message) => this.#protocolFault(message),
    };
    this.#reader = new MessageReader(sink);
  }

  /** The peer's limit on the P-DATA-TF variable field, in bytes; 0 is none. */
  get peerMaxPduBytes(): number {
    return this.#peerMaxPduBytes;
  }

  /** Requests that may be outstanding at once, as negotiated; 1 without the Asynchronous Operations Window. */
  get maxInFlight(): number {
    return this.#window;
  }

  /** It takes requests: neither over nor being released. */
  get isOpen(): boolean {
    return this.#ended === null && this.#releasing === null;
  }

  /** The peer, as messages name it. */
  get peer(): string {
    return this.#layer.peer;
  }

  /** Why it is over, or null while it is open. */
  get ended(): Failure | null {
    return this.#ended;
  }

  /** Settles when the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  isAccepted(abstractSyntax: string, transferSyntax: string): boolean {
    return this.#contexts.idOf(abstractSyntax, transferSyntax) !== undefined;
  }

  /** C-STORE (PS3.7 section 9.1.1): the instance is accepted, which is not yet archived. */
  store(request: StoreRequest): Promise<StoreResult> {
    const { sopClassUid, sopInstanceUid, moveOriginator } = request;
    const contextId = this.#contexts.idOf(sopClassUid, request.transferSyntaxUid);
    if (contextId === undefined)
      return Promise.resolve(this.#refusal(sopClassUid, request.transferSyntaxUid));
    const command: Command = {
      commandField: COMMAND_FIELD.cStoreRq,
      hasDataSet: true,
      affectedSopClassUid: sopClassUid,
      messageId: 0,
      priority: request.priority ?? 0,
      affectedSopInstanceUid: sopInstanceUid,
      moveOriginatorAeTitle: moveOriginator?.aeTitle,
      moveOriginatorMessageId: moveOriginator?.messageId,
    };
    return new Promise((resolve) => {
      this.#submit(contextId, command, request.parts, undefined, (result) => {
        resolve(result.ok ? storeResult(result, sopInstanceUid, this.#layer.peer) : result);
      });
    });
  }

  /** C-ECHO (PS3.7 section 9.1.5). */
  async echo(): Promise<EchoResult> {
    const result = await this.request({
      sopClassUid: VERIFICATION_SOP_CLASS,
      transferSyntaxUid: null,
      command: { commandField: COMMAND_FIELD.cEchoRq, affectedSopClassUid: VERIFICATION_SOP_CLASS },
      parts: null,
    });
    if (!result.ok) return result;
    const { response, serviceUs, sendUs, waitUs } = result;
    if (response.status === STATUS.success) return { ok: true, serviceUs, sendUs, waitUs };
    const message = `${this.#layer.peer}: C-ECHO was answered with ${describeStatus(response.status!)}`;
    return { ...failure('DICOM_PROTOCOL', message), serviceUs, sendUs, waitUs };
  }

  /** Any DIMSE request; settles with the final response. */
  request(request: DimseRequest): Promise<DimseResult> {
    const { sopClassUid, transferSyntaxUid, parts } = request;
    const contextId = this.#contexts.idOf(sopClassUid, transferSyntaxUid);
    if (contextId === undefined) return Promise.resolve(this.#refusal(sopClassUid, transferSyntaxUid));
    const command = { ...request.command, messageId: 0, hasDataSet: parts !== null };
    return new Promise((resolve) => {
      this.#submit(contextId, command, parts ?? NO_PARTS, request.onPending, resolve);
    });
  }

  /** A-RELEASE (PS3.8 section 7.2) once all requests are answered; no further request is taken. */
  release(): Promise<ReleaseResult> {
    this.#releasing ??= this.#release();
    return this.#releasing;
  }

  /** A-ABORT (PS3.8 section 7.3): outstanding requests fail at once; settles when the connection is gone. */
  abort(cause?: Failure): Promise<void> {
    this.#layer.abort(
      cause ?? failure('CANCELLED', `${this.#layer.peer}: the association was aborted by us`),
    );
    return this.#closed.promise;
  }

  /** Releases, and aborts when that fails. */
  async close(): Promise<void> {
    if (this.#ended === null) await this.release();
    await this.#closed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For `openAssociation`: what was negotiated. */
  established(ac: AssociateAc, maxInFlight: number): void {
    this.#contexts.answered(ac.contexts);
    // PS3.7 Annex D.3.3.3: absent means 1, 0 means unlimited.
    const granted = ac.operationsWindow?.invoked ?? 1;
    this.#window = granted === 0 ? maxInFlight : Math.min(maxInFlight, granted);
    this.#peerMaxPduBytes = ac.maxPduBytes;
    this.#lastUsedUs = this.#clock.monotonicUs();
    this.#watchOver();
  }

  /** For `openAssociation`: a P-DATA indication. */
  fragment(
    contextId: number,
    control: number,
    chunk: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): void {
    this.#reader.fragment(contextId, control, chunk, start, end, last);
  }

  /** For `openAssociation`: the association is over, and why. */
  end(cause: Failure): void {
    if (this.#ended !== null) return;
    this.#ended = cause;
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#watch = null;
    const nowUs = this.#clock.monotonicUs();
    const lost = [...this.#pending.values()];
    const unsent = this.#queue.splice(0);
    this.#pending.clear();
    for (const operation of lost) operation.finish({ ...cause, ...timing(operation, nowUs) });
    for (const operation of unsent) operation.finish(cause);
    this.#onDrained?.();
    this.#onReleased?.(false);
  }

  /** For `openAssociation`: the release was confirmed. */
  released(): void {
    const onReleased = this.#onReleased;
    this.#onReleased = null;
    onReleased?.(true);
    this.end(failure('DICOM_CLOSED', `${this.#layer.peer}: the association has been released`));
  }

  /** For `openAssociation`: the connection is gone. */
  disconnected(): void {
    this.#closed.resolve();
  }

  #refusal(sopClassUid: string, transferSyntaxUid: string | null): Failure {
    if (this.#ended !== null) return this.#ended;
    const why = this.#contexts.describeRefusal(sopClassUid, transferSyntaxUid);
    return failure('DICOM_CONTEXT_REFUSED', `${this.#layer.peer}: ${why}`);
  }

  #submit(
    contextId: number,
    command: Command,
    parts: DataSetParts,
    onPending: DimseRequest['onPending'],
    finish: (result: DimseResult) => void,
  ): void {
    if (this.#ended !== null) {
      finish(this.#ended);
      return;
    }
    if (this.#releasing !== null) {
      finish(failure('DICOM_CLOSED', `${this.#layer.peer}: the association is being released`));
      return;
    }
    const operation: Operation = {
      contextId,
      command,
      parts,
      onPending,
      finish,
      bytes: 0,
      cancelled: false,
      startedUs: 0,
      sentUs: 0,
      progressUs: 0,
    };
    if (this.#mayStart()) this.#start(operation);
    else this.#queue.push(operation);
  }

  /** A message's fragments stand together on the wire, and no more are outstanding than the window allows. */
  #mayStart(): boolean {
    return !this.#sending && this.#pending.size < this.#window && this.#ended === null;
  }

  #start(operation: Operation): void {
    const { command, contextId } = operation;
    do this.#messageId = this.#messageId === 0xffff ? 1 : this.#messageId + 1;
    while (this.#pending.has(this.#messageId));
    command.messageId = this.#messageId;
    this.#pending.set(this.#messageId, operation);
    operation.startedUs = this.#clock.monotonicUs();
    operation.progressUs = operation.startedUs;
    const sent = this.#layer.send(contextId, command, this.#counted(operation), (last) => {
      operation.progressUs = this.#clock.monotonicUs();
      if (last) operation.sentUs = operation.progressUs;
    });
    if (sent === undefined) {
      this.#protocolFault('a request was made when the association could not send');
      return;
    }
    if (this.#watch === null) this.#watchOver();
    if (sent !== null) this.#awaitSent(sent);
  }

  #awaitSent(sent: Promise<void>): void {
    this.#sending = true;
    sent.then(
      () => {
        this.#sending = false;
        this.#pump();
      },
      (error: unknown) => {
        this.#sending = false;
        // Half a message is on the wire, so only an abort is left.
        const { code, message, retryable } = toYeeterError(error);
        this.#layer.abort(
          failure(code, `${this.#layer.peer}: the data set could not be read: ${message}`, retryable),
        );
      },
    );
  }

  /** The parts, with the data set's bytes counted. */
  #counted(operation: Operation): DataSetParts {
    const { parts } = operation;
    if (Array.isArray(parts)) {
      for (const part of parts as readonly Buffer[]) operation.bytes += part.length;
      return parts;
    }
    return countParts(parts as AsyncIterable<Buffer>, operation);
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#mayStart()) this.#start(this.#queue.shift()!);
    if (this.#pending.size === 0 && this.#queue.length === 0) this.#onDrained?.();
  }

  #command(contextId: number, command: Command): void {
    if ((command.commandField & RESPONSE_BIT) === 0) {
      this.#declineRequest(contextId, command);
      return;
    }
    const operation = this.#operationOf(command);
    if (operation === null) return;
    if (command.hasDataSet) this.#response = command;
    else this.#answer(operation, command, null);
  }

  #operationOf(response: Command): Operation | null {
    const id = response.messageIdBeingRespondedTo ?? -1;
    const operation = this.#pending.get(id);
    if (operation === undefined) {
      this.#protocolFault(`a response came to message ${id}, which is not outstanding`);
    } else if (response.commandField !== (operation.command.commandField | RESPONSE_BIT)) {
      this.#protocolFault(`message ${id} was answered by command ${response.commandField.toString(16)}`);
    } else if (response.status === undefined) {
      this.#protocolFault(`the response to message ${id} has no status`);
    } else return operation;
    return null;
  }

  #answer(operation: Operation, response: Command, dataSet: Buffer | null): void {
    const nowUs = this.#clock.monotonicUs();
    this.#lastUsedUs = nowUs;
    if (isPending(response.status!)) {
      operation.progressUs = nowUs;
      if (operation.onPending?.(response, dataSet) === 'cancel') this.#cancel(operation);
      return;
    }
    this.#pending.delete(operation.command.messageId!);
    operation.finish({ ok: true, response, dataSet, bytes: operation.bytes, ...timing(operation, nowUs) });
    this.#pump();
  }

  /** C-CANCEL: asks once; the final response comes all the same. */
  #cancel(operation: Operation): void {
    if (operation.cancelled || this.#sending) return;
    operation.cancelled = true;
    const { contextId, command } = operation;
    const cancel: Command = {
      commandField: COMMAND_FIELD.cCancelRq,
      hasDataSet: false,
      messageIdBeingRespondedTo: command.messageId,
    };
    this.#layer.send(contextId, cancel, NO_PARTS, () => {});
  }

  #data(chunk: Buffer, start: number, end: number, last: boolean): void {
    // Data of a request that we declined.
    if (this.#response === null) return;
    this.#dataSetBytes += end - start;
    if (this.#dataSetBytes > MAX_RESPONSE_BYTES) {
      this.#protocolFault(`a response's data set is longer than ${MAX_RESPONSE_BYTES} bytes`);
      return;
    }
    this.#dataSet.push(Buffer.from(chunk.subarray(start, end)));
    if (!last) return;
    const response = this.#response;
    const dataSet = Buffer.concat(this.#dataSet);
    this.#response = null;
    this.#dataSet = [];
    this.#dataSetBytes = 0;
    const operation = this.#operationOf(response);
    if (operation !== null) this.#answer(operation, response, dataSet);
  }

  /** We perform no service here, whatever the peer asks. */
  #declineRequest(contextId: number, request: Command): void {
    this.#layer.send(
      contextId,
      {
        commandField: request.commandField | RESPONSE_BIT,
        hasDataSet: false,
        messageIdBeingRespondedTo: request.messageId ?? 0,
        status: STATUS.unrecognisedOperation,
      },
      NO_PARTS,
      () => {},
    );
  }

  #protocolFault(message: string): void {
    this.#layer.abort(failure('DICOM_PROTOCOL', `${this.#layer.peer}: ${message}`));
  }

  async #release(): Promise<ReleaseResult> {
    if (this.#pending.size > 0 || this.#queue.length > 0) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
    if (this.#ended !== null) return this.#ended;
    const startedUs = this.#clock.monotonicUs();
    const { releaseMs } = this.#timeouts;
    const confirmed = await new Promise<boolean>((resolve) => {
      const late = `${this.#layer.peer}: no answer to the release request within ${releaseMs} ms`;
      const timer =
        releaseMs === 0
          ? undefined
          : setTimeout(() => this.#layer.abort(failure('DICOM_TIMEOUT', late)), releaseMs);
      this.#onReleased = (confirmed) => {
        clearTimeout(timer);
        resolve(confirmed);
      };
      this.#layer.release();
    });
    if (!confirmed && this.#ended !== null) return this.#ended;
    return { ok: true, releaseUs: this.#clock.monotonicUs() - startedUs };
  }

  /** One timer a connection: it looks when the next deadline would be, and is never touched by a request. */
  #watchOver(): void {
    const { dimseMs, idleMs } = this.#timeouts;
    const busy = this.#pending.size > 0;
    const limitMs = busy ? dimseMs : idleMs;
    this.#watch = null;
    if (limitMs === 0 || this.#ended !== null) return;
    let sinceUs = this.#lastUsedUs;
    if (busy) {
      sinceUs = Number.POSITIVE_INFINITY;
      for (const operation of this.#pending.values()) sinceUs = Math.min(sinceUs, operation.progressUs);
    }
    const leftMs = limitMs - (this.#clock.monotonicUs() - sinceUs) / 1000;
    if (leftMs > 0) {
      // What begins meanwhile, a request or a rest, has a deadline of its own, perhaps an earlier one.
      const nextMs = Math.min(leftMs, dimseMs || leftMs, idleMs || leftMs);
      this.#watch = setTimeout(() => this.#watchOver(), Math.ceil(nextMs));
      return;
    }
    if (busy) {
      const message = `${this.#layer.peer}: no answer to a request within ${dimseMs} ms`;
      this.#layer.abort(failure('DICOM_TIMEOUT', message));
    } else void this.release();
  }
}

async function* countParts(parts: AsyncIterable<Buffer>, operation: Operation): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    operation.bytes += part.length;
    yield part;
  }
}

/** A response may be read before the kernel's word that all was sent; then nothing was waited for. */
function timing(operation: Operation, nowUs: number): Timing {
  const sentUs = operation.sentUs === 0 ? nowUs : operation.sentUs;
  const { startedUs } = operation;
  return { serviceUs: nowUs - startedUs, sendUs: sentUs - startedUs, waitUs: nowUs - sentUs };
}
