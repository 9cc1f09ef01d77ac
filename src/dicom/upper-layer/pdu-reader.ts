import { PDU_HEADER_BYTES, PDU_TYPE, PDV_HEADER_BYTES } from './pdu.ts';

/** Why bytes are not a PDU; `reason` is that of an A-ABORT, PS3.8 Table 9-26. */
export interface InvalidPdu {
  reason: 1 | 6;
  message: string;
}

export interface PduSink {
  /** The header of a P-DATA-TF; its fragments follow. False skips them. */
  dataPdu(): boolean;
  /**
   * A piece `[start, end)` of one PDV; `chunk` belongs to the reader's caller and is valid only during the call.
   * @param last this piece ends the PDV
   */
  fragment(
    contextId: number,
    control: number,
    chunk: Buffer,
    start: number,
    end: number,
    last: boolean,
  ): void;
  /** Any other whole PDU, without its header; the body is valid only during the call. */
  pdu(type: number, body: Buffer): void;
  /** Nothing more is read after this. */
  invalid(fault: InvalidPdu): void;
}

/** A request with 128 contexts of dozens of transfer syntaxes stays below this. */
const MAX_CONTROL_PDU_BYTES = 1_048_576;
/** PS3.8 sections 9.3.4 to 9.3.8: the PDUs of fixed length; a peer may not fill memory with them. */
const MAX_FIXED_PDU_BYTES = 1024;

/**
 * Cuts a byte stream into PDUs (PS3.8 section 9.3). P-DATA-TF is passed on piece by piece as it arrives, so that
 * a data set is never accumulated here; the other PDUs are small and are collected.
 */
export class PduReader {
  readonly #sink: PduSink;
  readonly #maxDataBytes: number;
  readonly #header = Buffer.alloc(PDU_HEADER_BYTES);
  readonly #pdvHeader = Buffer.alloc(PDV_HEADER_BYTES);
  #headerBytes = 0;
  #pdvHeaderBytes = 0;
  /** Bytes of the current PDU still to come. */
  #pduLeft = 0;
  /** Bytes of the current PDV still to come. */
  #pdvLeft = 0;
  #control: Buffer | null = null;
  #skip = false;
  #stopped = false;

  /** @param maxDataBytes the longest P-DATA-TF we agreed to receive; 0 is unlimited */
  constructor(sink: PduSink, maxDataBytes: number) {
    this.#sink = sink;
    this.#maxDataBytes = maxDataBytes === 0 ? 0xffff_ffff : maxDataBytes;
  }

  /** Ignores all that is still to come. */
  stop(): void {
    this.#stopped = true;
  }

  /** True between PDUs: an end of the stream here cuts nothing short. */
  get atBoundary(): boolean {
    return this.#headerBytes === 0;
  }

  feed(chunk: Buffer, from = 0, to = chunk.length): void {
    let at = from;
    while (!this.#stopped) {
      if (this.#headerBytes < PDU_HEADER_BYTES) {
        if (at >= to) return;
        at = this.#readHeader(chunk, at, to);
      } else if (this.#header[0] === PDU_TYPE.data) {
        at = this.#skip ? this.#skipData(at, to) : this.#readData(chunk, at, to);
        if (this.#pduLeft > 0) {
          if (at >= to) return;
        } else this.#headerBytes = 0;
      } else {
        at = this.#readControl(chunk, at, to);
        if (this.#pduLeft > 0) return;
      }
    }
  }

  #readHeader(chunk: Buffer, at: number, to: number): number {
    const header = this.#header;
    let filled = this.#headerBytes;
    while (filled < PDU_HEADER_BYTES && at < to) header[filled++] = chunk[at++]!;
    this.#headerBytes = filled;
    if (filled === PDU_HEADER_BYTES) this.#startPdu(header[0]!, header.readUInt32BE(2));
    return at;
  }

  #startPdu(type: number, length: number): void {
    this.#pduLeft = length;
    if (type === PDU_TYPE.data) {
      if (length > this.#maxDataBytes) {
        this.#fail(6, `a P-DATA-TF PDU of ${length} bytes is longer than the ${this.#maxDataBytes} agreed`);
      } else this.#skip = !this.#sink.dataPdu();
      return;
    }
    if (type < PDU_TYPE.associateRq || type > PDU_TYPE.abort) {
      this.#fail(1, `PDU type 0x${type.toString(16).padStart(2, '0')} does not exist`);
      return;
    }
    const limit = type <= PDU_TYPE.associateAc ? MAX_CONTROL_PDU_BYTES : MAX_FIXED_PDU_BYTES;
    if (length > limit) {
      this.#fail(6, `a PDU of type ${type} with ${length} bytes is longer than ${limit}`);
      return;
    }
    this.#control = Buffer.allocUnsafe(length);
  }

  #readControl(chunk: Buffer, at: number, to: number): number {
    const body = this.#control!;
    const size = Math.min(this.#pduLeft, to - at);
    chunk.copy(body, body.length - this.#pduLeft, at, at + size);
    this.#pduLeft -= size;
    if (this.#pduLeft === 0) {
      this.#control = null;
      this.#headerBytes = 0;
      this.#sink.pdu(this.#header[0]!, body);
    }
    return at + size;
  }

  #skipData(at: number, to: number): number {
    const size = Math.min(this.#pduLeft, to - at);
    this.#pduLeft -= size;
    return at + size;
  }

  #readData(chunk: Buffer, start: number, to: number): number {
    let at = start;
    const header = this.#pdvHeader;
    while (this.#pduLeft > 0 && !this.#stopped) {
      if (this.#pdvHeaderBytes < PDV_HEADER_BYTES) {
        if (this.#pdvHeaderBytes === 0 && this.#pduLeft < PDV_HEADER_BYTES) {
          this.#fail(6, `a PDV header does not fit in the last ${this.#pduLeft} bytes of its PDU`);
          return to;
        }
        if (at >= to) return at;
        while (this.#pdvHeaderBytes < PDV_HEADER_BYTES && at < to) {
          header[this.#pdvHeaderBytes++] = chunk[at++]!;
          this.#pduLeft--;
        }
        if (this.#pdvHeaderBytes < PDV_HEADER_BYTES) return at;
        const length = header.readUInt32BE(0);
        this.#pdvLeft = length - 2;
        if (length < 2 || this.#pdvLeft > this.#pduLeft) {
          this.#fail(6, `a PDV of ${length} bytes does not fit in its PDU`);
          return to;
        }
      }
      const size = Math.min(this.#pdvLeft, to - at);
      if (size === 0 && this.#pdvLeft > 0) return at;
      this.#pdvLeft -= size;
      this.#pduLeft -= size;
      const last = this.#pdvLeft === 0;
      if (last) this.#pdvHeaderBytes = 0;
      this.#sink.fragment(header[4]!, header[5]!, chunk, at, at + size, last);
      at += size;
    }
    return at;
  }

  #fail(reason: InvalidPdu['reason'], message: string): void {
    this.#stopped = true;
    this.#sink.invalid({ reason, message });
  }
}
