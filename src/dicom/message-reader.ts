import { toYeeterError } from '../lib/errors.ts';
import { type Command, decodeCommand, MAX_COMMAND_BYTES } from './dimse.ts';
import { PDV_COMMAND, PDV_LAST } from './upper-layer/pdu.ts';

export interface MessageSink {
  /** A command set; when it says so, its data set follows. */
  command(contextId: number, command: Command): void;
  /** A piece `[start, end)` of the data set, valid only during the call. */
  data(chunk: Buffer, start: number, end: number, last: boolean): void;
  /** The peer broke the message's order; the association cannot go on. */
  broken(message: string): void;
}

/**
 * Puts PDV fragments together to DIMSE messages (PS3.7 section 6.3, PS3.8 Annex E): a command, then its data set
 * if it has one, all on one presentation context. Commands are collected; data sets pass through.
 */
export class MessageReader {
  readonly #sink: MessageSink;
  #contextId = 0;
  #inDataSet = false;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** True in the middle of a message. */
  get busy(): boolean {
    return this.#inDataSet || this.#pieceBytes > 0;
  }

  /** @param ended the piece ends its PDV; with the last-fragment bit it ends the command or the data set */
  fragment(
    contextId: number,
    control: number,
    chunk: Buffer,
    start: number,
    end: number,
    ended: boolean,
  ): void {
    const last = ended && (control & PDV_LAST) !== 0;
    const isCommand = (control & PDV_COMMAND) !== 0;
    if (this.busy && contextId !== this.#contextId) {
      this.#sink.broken(
        `a fragment on context ${contextId} is inside a message on context ${this.#contextId}`,
      );
    } else if (isCommand === this.#inDataSet) {
      this.#sink.broken(
        isCommand ? 'a command is inside a data set' : 'a data set comes without its command',
      );
    } else if (isCommand) {
      this.#contextId = contextId;
      this.#command(chunk, start, end, last);
    } else {
      if (last) this.#inDataSet = false;
      this.#sink.data(chunk, start, end, last);
    }
  }

  #command(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (last && this.#pieceBytes === 0) {
      this.#decode(chunk, start, end);
      return;
    }
    this.#pieceBytes += end - start;
    if (this.#pieceBytes > MAX_COMMAND_BYTES) {
      this.#sink.broken(`a command set is longer than ${MAX_COMMAND_BYTES} bytes`);
      return;
    }
    this.#pieces.push(Buffer.from(chunk.subarray(start, end)));
    if (!last) return;
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#decode(whole, 0, whole.length);
  }

  #decode(source: Buffer, start: number, end: number): void {
    let command: Command;
    try {
      command = decodeCommand(source, start, end);
    } catch (error) {
      this.#sink.broken(toYeeterError(error).message);
      return;
    }
    this.#inDataSet = command.hasDataSet;
    this.#sink.command(this.#contextId, command);
  }
}
