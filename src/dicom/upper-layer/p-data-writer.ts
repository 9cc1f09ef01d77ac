import type { Socket } from 'node:net';
import { YeeterError } from '../../lib/errors.ts';
import { type Command, encodeCommand } from '../dimse.ts';
import { PDU_HEADER_BYTES, PDU_TYPE, PDV_COMMAND, PDV_HEADER_BYTES, PDV_LAST } from './pdu.ts';

/** A data set in order, as buffers that are written as they are; each has an even length. */
export type DataSetParts = readonly Buffer[] | AsyncIterable<Buffer>;

/** What is handed to the socket before its flush is awaited: bounds memory and shows progress to the timer. */
const BATCH_BYTES = 4 * 1_048_576;
/** Up to here one copy is cheaper than a vector of buffers. */
const SMALL_BYTES = 8_192;
/** Longest PDU to a peer that states no limit. */
const UNLIMITED_PDU_BYTES = 1_048_576;
/** Commands, headers and small data sets are built in buffers of this size, taken from a free list. */
const SCRATCH_BYTES = 16_384;
const HEADER_BYTES = PDU_HEADER_BYTES + PDV_HEADER_BYTES;
/** Room for a batch's headers behind the longest usual command set. */
const MAX_HEADERS = Math.floor((SCRATCH_BYTES - 4_096) / HEADER_BYTES);

const NOTHING = Buffer.alloc(0);

function totalBytes(parts: readonly Buffer[]): number {
  let total = 0;
  for (const part of parts) total += part.length;
  return total;
}

/**
 * Writes DIMSE messages as P-DATA-TF PDUs of one PDV each (PS3.8 section 9.3.5 and Annex E), no longer than the
 * peer receives. Head and pixels go to the kernel from where they lie, a batch in one vectored write.
 */
export class PDataWriter {
  readonly #socket: Socket;
  readonly #maxFragment: number;
  readonly #batchBytes: number;
  readonly #free: Buffer[] = [];

  /**
   * @param maxPduBytes the peer's limit on the P-DATA-TF variable field (PS3.8 Annex D.1); 0 is none
   * @throws `DICOM_PROTOCOL` when the limit leaves no room for data
   */
  constructor(socket: Socket, maxPduBytes: number) {
    const limit = maxPduBytes === 0 ? UNLIMITED_PDU_BYTES : Math.min(maxPduBytes, UNLIMITED_PDU_BYTES);
    // PDV values are of even length (PS3.8 Annex E.1).
    this.#maxFragment = (limit - PDV_HEADER_BYTES) & ~1;
    if (this.#maxFragment < 2) {
      throw new YeeterError(
        'DICOM_PROTOCOL',
        `the peer receives PDUs of ${maxPduBytes} bytes, too few for any data`,
      );
    }
    this.#socket = socket;
    const fragments = Math.min(Math.floor(BATCH_BYTES / this.#maxFragment), MAX_HEADERS - 1);
    this.#batchBytes = fragments * this.#maxFragment;
  }

  /**
   * Writes a command and the data set that follows it, if any.
   * @param flushed called after each batch has left for the kernel, with true when it was the last
   * @returns null when all was handed over at once, else a promise that settles after the last batch;
   *   it rejects only with what `parts` throws
   */
  write(
    contextId: number,
    command: Command,
    parts: DataSetParts,
    flushed: (last: boolean) => void,
  ): Promise<void> | null {
    const scratch = this.#free.pop() ?? Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    const end = encodeCommand(command, scratch, HEADER_BYTES);
    const done = (last: boolean) => (): void => {
      this.#free.push(scratch);
      flushed(last);
    };
    if (end - HEADER_BYTES > this.#maxFragment) {
      const whole = Buffer.from(scratch.subarray(HEADER_BYTES, end));
      this.#free.push(scratch);
      return this.#writeSlowly(
        contextId,
        whole,
        command.hasDataSet ? parts : [],
        command.hasDataSet,
        flushed,
      );
    }
    writeHeader(scratch, 0, end - HEADER_BYTES, contextId, PDV_COMMAND | PDV_LAST);
    if (!command.hasDataSet) {
      this.#socket.write(scratch.subarray(0, end), done(true));
      return null;
    }
    if (isList(parts)) {
      const total = totalBytes(parts);
      if (total <= this.#batchBytes) {
        this.#writeBatch(contextId, scratch, end, parts, total, true, done(true));
        return null;
      }
    }
    this.#socket.write(scratch.subarray(0, end), done(false));
    return this.#writeData(contextId, parts, flushed);
  }

  /** For peers whose limit is shorter than a command set. */
  async #writeSlowly(
    contextId: number,
    command: Buffer,
    parts: DataSetParts,
    hasDataSet: boolean,
    flushed: (last: boolean) => void,
  ): Promise<void> {
    for (let at = 0; at < command.length; at += this.#maxFragment) {
      const piece = command.subarray(at, at + this.#maxFragment);
      const header = Buffer.allocUnsafe(HEADER_BYTES);
      const last = at + piece.length === command.length ? PDV_LAST : 0;
      writeHeader(header, 0, piece.length, contextId, PDV_COMMAND | last);
      this.#socket.write(Buffer.concat([header, piece]));
    }
    if (hasDataSet) await this.#writeData(contextId, parts, flushed);
    else flushed(true);
  }

  /** Batches one after the other, each when the one before has left. */
  async #writeData(contextId: number, parts: DataSetParts, flushed: (last: boolean) => void): Promise<void> {
    let held: Buffer = NOTHING;
    let started = false;
    for await (const part of parts) {
      if (started && !(await this.#writePart(contextId, held, false, flushed))) return;
      held = part;
      started = true;
    }
    await this.#writePart(contextId, held, true, flushed);
  }

  /** @returns false when the connection is gone */
  async #writePart(
    contextId: number,
    part: Buffer,
    lastPart: boolean,
    flushed: (last: boolean) => void,
  ): Promise<boolean> {
    let at = 0;
    do {
      const piece = part.subarray(at, at + this.#batchBytes);
      at += piece.length;
      const last = lastPart && at === part.length;
      if (piece.length === 0 && !last) return true;
      await new Promise<void>((resolve) => {
        const scratch = this.#free.pop() ?? Buffer.allocUnsafeSlow(SCRATCH_BYTES);
        this.#writeBatch(contextId, scratch, 0, [piece], piece.length, last, () => {
          this.#free.push(scratch);
          resolve();
        });
      });
      if (this.#socket.destroyed) return false;
      flushed(last);
    } while (at < part.length);
    return true;
  }

  /**
   * One batch of a data set behind what already stands in `scratch[0, used)`. The first header follows that
   * directly, so that a command and the first header are one buffer.
   */
  #writeBatch(
    contextId: number,
    scratch: Buffer,
    used: number,
    parts: readonly Buffer[],
    total: number,
    last: boolean,
    done: () => void,
  ): void {
    const socket = this.#socket;
    const max = this.#maxFragment;
    if (total === 0 || (total <= max && used + HEADER_BYTES + total <= SMALL_BYTES)) {
      writeHeader(scratch, used, total, contextId, last ? PDV_LAST : 0);
      let at = used + HEADER_BYTES;
      for (const part of parts) at += part.copy(scratch, at);
      socket.write(scratch.subarray(0, at), done);
      return;
    }
    let headerEnd = used + HEADER_BYTES;
    let fragment = Math.min(total, max);
    let left = total - fragment;
    socket.cork();
    writeHeader(scratch, used, fragment, contextId, last && left === 0 ? PDV_LAST : 0);
    socket.write(scratch.subarray(0, headerEnd));
    for (const part of parts) {
      let at = 0;
      while (at < part.length) {
        if (fragment === 0) {
          fragment = Math.min(left, max);
          left -= fragment;
          writeHeader(scratch, headerEnd, fragment, contextId, last && left === 0 ? PDV_LAST : 0);
          socket.write(scratch.subarray(headerEnd, headerEnd + HEADER_BYTES));
          headerEnd += HEADER_BYTES;
        }
        const size = Math.min(fragment, part.length - at);
        const piece = size === part.length ? part : part.subarray(at, at + size);
        at += size;
        fragment -= size;
        socket.write(piece, left === 0 && fragment === 0 ? done : undefined);
      }
    }
    socket.uncork();
  }
}

function isList(parts: DataSetParts): parts is readonly Buffer[] {
  return Array.isArray(parts);
}

/** A P-DATA-TF header and the header of its only PDV. */
function writeHeader(target: Buffer, at: number, fragment: number, contextId: number, control: number): void {
  target[at] = PDU_TYPE.data;
  target[at + 1] = 0;
  target.writeUInt32BE(fragment + PDV_HEADER_BYTES, at + 2);
  target.writeUInt32BE(fragment + 2, at + 6);
  target[at + 10] = contextId;
  target[at + 11] = control;
}
