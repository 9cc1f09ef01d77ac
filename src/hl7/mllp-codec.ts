/**
 * The Minimal Lower Layer Protocol's block: VT, the message, FS, CR (HL7 v2 Implementation Guide, appendix C;
 * "Transport Specification: MLLP, Release 1"). The message itself may hold neither VT nor FS.
 */
export const VT = 0x0b;
export const FS = 0x1c;
export const CR = 0x0d;
const LF = 0x0a;

export const DEFAULT_MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Puts a message between VT and FS CR, in one buffer, so that it leaves in one write. */
export function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(message.length + 3);
  framed[0] = VT;
  framed.set(message, 1);
  framed[message.length + 1] = FS;
  framed[message.length + 2] = CR;
  return framed;
}

/** Whether a message can stand between VT and FS CR without being cut. */
export function isFrameable(message: Buffer): boolean {
  return message.indexOf(VT) === -1 && message.indexOf(FS) === -1;
}

export interface FrameDecoderOptions {
  /** The longest message accepted, in bytes; 16 MiB unless set. */
  maxFrameBytes?: number;
  /** Bytes that stand outside of frames. Lone CR and LF there are let pass: many systems end a frame with them. */
  onGarbage?: (bytes: Buffer) => void;
  /** A frame longer than the limit, told once; whatever follows is dropped, since no boundary can be trusted. */
  onTooLarge?: (maxFrameBytes: number) => void;
}

export interface FrameDecoder {
  /** Takes the next bytes of the stream; calls back for every frame that they complete. */
  push(chunk: Buffer): void;
  /** Whether a frame has begun and not ended. */
  readonly inFrame: boolean;
}

/**
 * Cuts a stream of bytes into messages, in time linear in the bytes whatever their split. A frame within one
 * chunk is handed on as a view of that chunk, without a copy; a frame over several is gathered in a buffer
 * that doubles. Which frames come out does not depend on how the bytes were split.
 */
export function createFrameDecoder(
  options: FrameDecoderOptions,
  onFrame: (message: Buffer) => void,
): FrameDecoder {
  const { maxFrameBytes = DEFAULT_MAX_FRAME_BYTES, onGarbage, onTooLarge } = options;
  let inFrame = false;
  let dead = false;
  /** The part of the open frame that came with earlier chunks; `gathered` bytes of it are filled. */
  let store: Buffer | null = null;
  let gathered = 0;

  function gather(part: Buffer): void {
    const needed = gathered + part.length;
    if (store === null || store.length < needed) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, (store?.length ?? 128) * 2));
      if (store !== null) store.copy(grown, 0, 0, gathered);
      store = grown;
    }
    store.set(part, gathered);
    gathered = needed;
  }

  function refuse(): void {
    dead = true;
    store = null;
    onTooLarge?.(maxFrameBytes);
  }

  /** Ends the open frame before the end mark at `end` of `chunk`; its own part begins at `start`. */
  function finish(chunk: Buffer, start: number, end: number): void {
    inFrame = false;
    if (gathered + end - start > maxFrameBytes) {
      refuse();
    } else if (gathered === 0) {
      onFrame(chunk.subarray(start, end));
    } else {
      if (end > start) gather(chunk.subarray(start, end));
      // A negative length of its own part: the FS came with the chunk before.
      const message = store!.subarray(0, gathered + Math.min(0, end - start));
      store = null;
      gathered = 0;
      onFrame(message);
    }
  }

  /** Looks for FS CR from `start`; answers where the chunk goes on, or its length when the frame stays open. */
  function readFrame(chunk: Buffer, start: number): number {
    if (gathered > 0 && store![gathered - 1] === FS && chunk[start] === CR) {
      finish(chunk, start, start - 1);
      return start + 1;
    }
    let at = chunk.indexOf(FS, start);
    while (at !== -1 && at + 1 < chunk.length && chunk[at + 1] !== CR) at = chunk.indexOf(FS, at + 1);
    if (at !== -1 && at + 1 < chunk.length) {
      finish(chunk, start, at);
      return at + 2;
    }
    gather(chunk.subarray(start));
    const heldBack = store![gathered - 1] === FS ? 1 : 0;
    if (gathered - heldBack > maxFrameBytes) refuse();
    return chunk.length;
  }

  /** Skips to the next VT; answers where the frame's content begins, or the chunk's length. */
  function skipToFrame(chunk: Buffer, start: number): number {
    if (chunk[start] === VT) {
      inFrame = true;
      return start + 1;
    }
    const found = chunk.indexOf(VT, start);
    const end = found === -1 ? chunk.length : found;
    let first = start;
    while (first < end && (chunk[first] === CR || chunk[first] === LF)) first++;
    if (first < end) onGarbage?.(chunk.subarray(first, end));
    inFrame = found !== -1;
    return inFrame ? found + 1 : end;
  }

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length && !dead) {
        at = inFrame ? readFrame(chunk, at) : skipToFrame(chunk, at);
      }
    },
    get inFrame() {
      return inFrame;
    },
  };
}
