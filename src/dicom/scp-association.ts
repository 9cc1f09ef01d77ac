import type { Socket } from 'node:net';
import { type Failure, failure } from '../lib/errors.ts';
import { COMMAND_FIELD, type Command, RESPONSE_BIT } from './dimse.ts';
import { STATUS } from './dimse-status.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from './implementation.ts';
import { MessageReader } from './message-reader.ts';
import type { ScpContext, ServiceReply, StoreReceiver, StoreReply } from './scp-hooks.ts';
import { APPLICATION_CONTEXT, type AssociateRq, type NegotiatedContext } from './upper-layer/pdu.ts';
import { UpperLayer } from './upper-layer/upper-layer.ts';

/** The C-STORE whose data set is arriving. */
interface Incoming {
  command: Command;
  contextId: number;
  receiver: StoreReceiver;
  bytes: number;
}

/** The request whose data set is arriving, when it is collected. */
interface Collected {
  command: Command;
  contextId: number;
  pieces: Buffer[];
  bytes: number;
}

/** A longer identifier or modification list is none. */
const MAX_REQUEST_BYTES = 16 * 1_048_576;

const SERVICE_REQUESTS: ReadonlySet<number> = new Set([
  COMMAND_FIELD.cFindRq,
  COMMAND_FIELD.nCreateRq,
  COMMAND_FIELD.nSetRq,
]);

const NO_PARTS: readonly Buffer[] = [];

/** One association on which a peer is the SCU: C-ECHO, C-STORE and what `onRequest` answers (PS3.7 chapters 9 and 10). */
export class ScpAssociation {
  readonly number: number;
  readonly #context: ScpContext;
  readonly #layer: UpperLayer;
  readonly #reader: MessageReader;
  readonly #onClosed: () => void;
  readonly #accepted = new Map<number, { abstractSyntax: string; transferSyntax: string }>();
  #socket: Socket | null = null;
  #rq: AssociateRq | null = null;
  #incoming: Incoming | null = null;
  #collected: Collected | null = null;
  /** Message ids of requests that the peer cancelled while they were being answered. */
  readonly #cancelled = new Set<number>();
  readonly #answering = new Set<number>();
  /** Replies that are being decided. */
  #undecided = 0;
  #holds = 0;
  #established = false;
  #ended = false;
  #closing = false;
  #heard = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(context: ScpContext, number: number, peer: string, onClosed: () => void) {
    this.number = number;
    this.#context = context;
    this.#onClosed = onClosed;
    this.#reader = new MessageReader({
      command: (contextId, command) => this.#command(contextId, command),
      data: (chunk, start, end, last) => this.#data(chunk, start, end, last),
      broken: (message) => this.#abort('DICOM_PROTOCOL', message),
    });
    this.#layer = new UpperLayer({
      requestor: false,
      peer,
      artimMs: context.artimMs,
      maxPduBytes: context.maxPduBytes,
      user: {
        associateIndicated: (rq) => this.#associate(rq),
        associateConfirmed: () => {},
        associateRefused: () => {},
        fragment: (contextId, control, chunk, start, end, last) =>
          this.#reader.fragment(contextId, control, chunk, start, end, last),
        releaseIndicated: () => this.#end(null),
        releaseConfirmed: () => {},
        aborted: (cause) => this.#end(cause),
        closed: () => {
          clearTimeout(this.#idle);
          this.#onClosed();
        },
      },
    });
  }

  /** True from A-ASSOCIATE-AC to the end. */
  get active(): boolean {
    return this.#established && !this.#ended;
  }

  /** The connection is open. */
  start(socket: Socket): void {
    this.#socket = socket;
    this.#layer.accept(socket);
    const { idleMs } = this.#context;
    if (idleMs > 0) this.#idle = setInterval(() => this.#checkIdle(), idleMs);
  }

  /** Bytes from the connection; false asks for a pause. */
  receive(chunk: Buffer, length: number): boolean {
    this.#heard = true;
    this.#layer.receive(chunk, length);
    const socket = this.#socket;
    if (socket?.writableNeedDrain)
      this.#hold(new Promise((resolve) => socket.once('drain', () => resolve())));
    return this.#holds === 0;
  }

  /** Ends the association: at once when nothing is under way, else after the reply to what is. */
  finish(): void {
    this.#closing = true;
    this.#finishIfIdle();
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#layer.destroy();
    this.#end(failure('CANCELLED', 'the receiver was closed'));
  }

  #finishIfIdle(): void {
    if (!this.#closing || this.#undecided > 0 || this.#reader.busy) return;
    if (this.#layer.state === 'Sta6') this.#abort('CANCELLED', 'the receiver is closing');
    else if (this.#layer.state === 'Sta2') this.destroy();
  }

  #checkIdle(): void {
    if (!this.#heard && this.#undecided === 0 && this.#layer.state === 'Sta6') {
      this.#abort('DICOM_TIMEOUT', `nothing came for ${this.#context.idleMs} ms`);
    }
    this.#heard = false;
  }

  #associate(rq: AssociateRq): void {
    const { counters, hooks, refuse } = this.#context;
    const answer = refuse(rq) ?? hooks.onAssociate?.(rq) ?? null;
    if (answer === 'silent') return;
    if (answer !== null) {
      counters.associationsRejected++;
      if (answer === 'abort') this.#abort('CANCELLED', 'a fault was asked for');
      else if (answer === 'close') this.destroy();
      else this.#layer.rejectAssociation(answer);
      this.#ended = true;
      return;
    }
    this.#rq = rq;
    this.#established = true;
    counters.associationsAccepted++;
    const window = rq.operationsWindow;
    const { maxOperations, maxPduBytes } = this.#context;
    this.#layer.acceptAssociation(
      {
        calledAeTitle: rq.calledAeTitle,
        callingAeTitle: rq.callingAeTitle,
        applicationContext: APPLICATION_CONTEXT,
        maxPduBytes,
        implementationClassUid: IMPLEMENTATION_CLASS_UID,
        implementationVersionName: IMPLEMENTATION_VERSION_NAME,
        // We invoke nothing, so one is as good as any for what the requestor performs.
        operationsWindow: window && {
          invoked: window.invoked === 0 ? maxOperations : Math.min(window.invoked, maxOperations),
          performed: 1,
        },
        contexts: rq.contexts.map((context) => this.#negotiate(context)),
      },
      rq.maxPduBytes,
    );
  }

  /** PS3.8 section 9.3.3.2: the requestor's first transfer syntax that we know. */
  #negotiate({ id, abstractSyntax, transferSyntaxes }: AssociateRq['contexts'][number]): NegotiatedContext {
    const { acceptsAbstractSyntax, acceptsTransferSyntax } = this.#context;
    if (!acceptsAbstractSyntax(abstractSyntax))
      return { id, result: 3, transferSyntax: transferSyntaxes[0]! };
    const transferSyntax = transferSyntaxes.find((uid) => acceptsTransferSyntax(uid, abstractSyntax));
    if (transferSyntax === undefined) return { id, result: 4, transferSyntax: transferSyntaxes[0]! };
    this.#accepted.set(id, { abstractSyntax, transferSyntax });
    return { id, result: 0, transferSyntax };
  }

  #command(contextId: number, command: Command): void {
    if (!this.#accepted.has(contextId)) {
      this.#abort('DICOM_PROTOCOL', `a message came on context ${contextId}, which was not accepted`);
    } else if (command.commandField === COMMAND_FIELD.cStoreRq) this.#store(contextId, command);
    else if (command.commandField === COMMAND_FIELD.cEchoRq) {
      this.#context.counters.echoes++;
      this.#reply(contextId, command, this.#context.hooks.onEcho?.() ?? STATUS.success);
    } else if (SERVICE_REQUESTS.has(command.commandField) && this.#context.hooks.onRequest !== undefined) {
      this.#collected = { command, contextId, pieces: [], bytes: 0 };
      if (!command.hasDataSet) this.#serve(this.#collected);
    } else if (command.commandField === COMMAND_FIELD.cCancelRq) {
      const id = command.messageIdBeingRespondedTo ?? -1;
      if (this.#answering.has(id)) this.#cancelled.add(id);
    } else if ((command.commandField & RESPONSE_BIT) === 0) {
      this.#reply(contextId, command, STATUS.unrecognisedOperation);
    }
  }

  #store(contextId: number, command: Command): void {
    const { abstractSyntax, transferSyntax } = this.#accepted.get(contextId)!;
    const { affectedSopClassUid, affectedSopInstanceUid } = command;
    if (affectedSopInstanceUid === undefined || !command.hasDataSet) {
      this.#abort('DICOM_PROTOCOL', 'a C-STORE request lacks its SOP instance UID or its data set');
      return;
    }
    let receiver: StoreReceiver | StoreReply = STATUS.success;
    if (affectedSopClassUid !== abstractSyntax) receiver = STATUS.sopClassNotSupported;
    else if (this.#context.hooks.onStore !== undefined) {
      receiver = this.#context.hooks.onStore({
        associationNumber: this.number,
        callingAeTitle: this.#rq!.callingAeTitle,
        calledAeTitle: this.#rq!.calledAeTitle,
        sopClassUid: abstractSyntax,
        sopInstanceUid: affectedSopInstanceUid,
        transferSyntaxUid: transferSyntax,
      });
    }
    if (receiver === 'abort' || receiver === 'close') this.#reply(contextId, command, receiver);
    else {
      const reply = receiver;
      this.#incoming = {
        command,
        contextId,
        receiver: typeof reply === 'object' ? reply : { end: () => reply },
        bytes: 0,
      };
    }
  }

  #collect(collected: Collected, piece: Buffer, last: boolean): void {
    collected.bytes += piece.length;
    if (collected.bytes > MAX_REQUEST_BYTES) {
      this.#abort('DICOM_PROTOCOL', `the data set of a request is longer than ${MAX_REQUEST_BYTES} bytes`);
      return;
    }
    collected.pieces.push(Buffer.from(piece));
    if (last) this.#serve(collected);
  }

  #serve({ command, contextId, pieces }: Collected): void {
    this.#collected = null;
    const { abstractSyntax, transferSyntax } = this.#accepted.get(contextId)!;
    const { affectedSopClassUid, requestedSopClassUid } = command;
    if ((affectedSopClassUid ?? requestedSopClassUid) !== abstractSyntax) {
      this.#reply(contextId, command, STATUS.sopClassNotSupported);
      return;
    }
    const reply = this.#context.hooks.onRequest!({
      commandField: command.commandField,
      sopClassUid: abstractSyntax,
      sopInstanceUid: command.affectedSopInstanceUid ?? command.requestedSopInstanceUid ?? null,
      transferSyntaxUid: transferSyntax,
      callingAeTitle: this.#rq!.callingAeTitle,
      dataSet: command.hasDataSet ? Buffer.concat(pieces) : null,
    });
    this.#undecided++;
    this.#answering.add(command.messageId ?? 0);
    this.#serveReply(contextId, command, reply).then(
      () => this.#served(command),
      (error: unknown) => {
        this.#served(command);
        this.#abort('INTERNAL', `the receiver failed: ${error}`);
      },
    );
  }

  #served({ messageId = 0 }: Command): void {
    this.#undecided--;
    this.#answering.delete(messageId);
    this.#cancelled.delete(messageId);
    this.#finishIfIdle();
  }

  async #serveReply(
    contextId: number,
    request: Command,
    reply: ServiceReply | Promise<ServiceReply>,
  ): Promise<void> {
    const decided = await reply;
    if (typeof decided !== 'object') {
      this.#answer(contextId, request, decided);
      return;
    }
    const { status, errorId, errorComment, matches = [] } = decided;
    for await (const match of matches) {
      if (this.#cancelled.has(request.messageId ?? 0)) {
        this.#respond(contextId, request, STATUS.cancelled);
        return;
      }
      this.#respond(contextId, request, STATUS.pending, {}, match);
    }
    this.#respond(contextId, request, status, { errorId, errorComment });
  }

  #data(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (this.#collected !== null) {
      this.#collect(this.#collected, chunk.subarray(start, end), last);
      return;
    }
    const incoming = this.#incoming;
    // The data set of a request that nobody takes.
    if (incoming === null) return;
    const { receiver } = incoming;
    incoming.bytes += end - start;
    this.#context.counters.bytes += end - start;
    if (receiver.chunk !== undefined && end > start) {
      const waiting = receiver.chunk(chunk.subarray(start, end));
      if (waiting !== undefined) this.#hold(waiting);
    }
    if (!last) return;
    this.#incoming = null;
    this.#context.counters.instances++;
    this.#reply(incoming.contextId, incoming.command, receiver.end(incoming.bytes));
  }

  /** Keeps the connection paused until the promise settles. */
  #hold(waiting: Promise<void>): void {
    this.#holds++;
    const resume = (): void => {
      if (--this.#holds === 0) this.#socket?.resume();
    };
    waiting.then(resume, (error: unknown) => {
      this.#abort('INTERNAL', `the receiver failed: ${error}`);
      resume();
    });
  }

  #reply(contextId: number, request: Command, reply: StoreReply | Promise<StoreReply>): void {
    if (typeof reply !== 'object') {
      this.#answer(contextId, request, reply);
      return;
    }
    this.#undecided++;
    reply.then(
      (decided) => {
        this.#undecided--;
        this.#answer(contextId, request, decided);
      },
      (error: unknown) => {
        this.#undecided--;
        this.#abort('INTERNAL', `the receiver failed: ${error}`);
      },
    );
  }

  #answer(contextId: number, request: Command, reply: StoreReply): void {
    const stored = typeof reply === 'number' && (reply === 0 || reply >> 12 === 0xb);
    if (request.commandField === COMMAND_FIELD.cStoreRq && !stored) this.#context.counters.storesRefused++;
    if (reply === 'abort') this.#abort('CANCELLED', 'a fault was asked for');
    else if (reply === 'close') this.destroy();
    else if (reply !== 'silent') this.#respond(contextId, request, reply);
    this.#finishIfIdle();
  }

  /** The whole response leaves in one write. */
  #respond(
    contextId: number,
    request: Command,
    status: number,
    more: Pick<Command, 'errorId' | 'errorComment'> = {},
    dataSet: Buffer | null = null,
  ): void {
    const response: Command = {
      ...more,
      commandField: request.commandField | RESPONSE_BIT,
      hasDataSet: dataSet !== null,
      affectedSopClassUid: request.affectedSopClassUid ?? request.requestedSopClassUid,
      messageIdBeingRespondedTo: request.messageId ?? 0,
      status,
      affectedSopInstanceUid: request.affectedSopInstanceUid ?? request.requestedSopInstanceUid,
    };
    this.#layer.send(contextId, response, dataSet === null ? NO_PARTS : [dataSet], ignore);
  }

  #abort(code: Failure['code'], message: string): void {
    this.#layer.abort(failure(code, `${this.#layer.peer}: ${message}`));
  }

  #end(cause: Failure | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#incoming?.receiver.cancelled?.();
    this.#incoming = null;
    this.#collected = null;
    if (!this.#established) return;
    if (cause !== null) this.#context.counters.associationsFailed++;
    this.#context.hooks.onEnd?.(this.number, cause);
  }
}

function ignore(): void {}
