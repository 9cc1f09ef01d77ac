import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { type AckCode, buildAck, hl7DateTime, isAckAsked, readHeader } from '../hl7/ack.ts';
import { frame } from '../hl7/mllp-codec.ts';
import { createMllpServer, type MllpPeer, type MllpReply } from '../hl7/mllp-server.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Failure } from '../lib/errors.ts';
import { delay } from '../lib/lifecycle.ts';
import { createContentDigest } from './content-digest.ts';
import { type FaultKinds, type FaultPlan, faultFor, MILLISECONDS } from './fault-plan.ts';

/** What an MLLP receiver can do wrong, for `parseFaultPlan`. */
export const MLLP_FAULTS = {
  AE: { about: 'answers AE', argument: null },
  AR: { about: 'answers AR', argument: null },
  CE: { about: 'answers CE', argument: null },
  CR: { about: 'answers CR', argument: null },
  silent: { about: 'never answers', argument: null },
  close: { about: 'closes the connection before the ACK', argument: null },
  cut: { about: 'closes the connection in the middle of the ACK', argument: null },
  garbage: { about: 'answers bytes that are no frame', argument: null },
  'wrong-id': { about: 'acknowledges another message', argument: null },
  split: { about: 'sends the ACK byte by byte', argument: null },
  twice: { about: 'sends the ACK twice', argument: null },
  delay: { about: 'waits before the ACK', argument: MILLISECONDS },
} as const satisfies FaultKinds;
type MllpFault = keyof typeof MLLP_FAULTS;

export interface MllpSinkOptions {
  /** 127.0.0.1 unless set. */
  host?: string;
  /** 0, any free port, unless set. */
  port?: number;
  faultPlan?: FaultPlan<MllpFault>;
  /** Keeps each message as `<control id>.hl7` in this folder, before it is acknowledged. */
  keepDir?: string | null;
  /** Whether to compute a digest of what was received, whatever its order; false unless set. */
  digest?: boolean;
  /** Told of each message that is accepted; the buffer is the receiver's. */
  onAccepted?: (message: Buffer) => void;
  tls?: TlsOptions | null;
  clock?: Clock;
  /** Told of connections that broke and of messages that could not be kept. */
  onFault?: (fault: Failure) => void;
}

/** `received` is `accepted`, `rejected` and `unanswered` together. */
interface MllpSinkCounts {
  received: number;
  /** Answered AA or CA. */
  accepted: number;
  /** Answered AE, AR, CE or CR. */
  rejected: number;
  /** Not answered, or not as an ACK of that message, as the fault plan said. */
  unanswered: number;
  /** Of the messages, without their frames. */
  bytes: number;
  kept: number;
  /** Null when none was asked for. */
  digest: string | null;
}

export interface MllpSink extends AsyncDisposable {
  readonly port: number;
  counts(): MllpSinkCounts;
  /** Stops listening, ends all connections; answers the final counts, also when called again. */
  close(): Promise<MllpSinkCounts>;
}

function fileName(controlId: string): string {
  return (
    controlId
      .replaceAll(/[^\w.-]/g, '_')
      .replace(/^\./, '_')
      .slice(0, 100) || 'message'
  );
}

/**
 * A receiver of HL7 messages for runs without a system under test: acknowledges in the mode that each message
 * asks for, counts, and misbehaves as planned. In enhanced mode the application ACK follows at once where it is
 * asked for.
 * @throws YeeterError PORT_IN_USE, CONNECT_FAILED
 */
export async function createMllpSink(options: MllpSinkOptions): Promise<MllpSink> {
  const { faultPlan = [], keepDir = null, clock = systemClock } = options;
  const counts = { received: 0, accepted: 0, rejected: 0, unanswered: 0, bytes: 0, kept: 0 };
  const digest = options.digest ? createContentDigest() : null;
  const stop = new AbortController();
  let second = -1;
  let dateTime = '';
  if (keepDir !== null) await mkdir(keepDir, { recursive: true });

  /** MSH-7, written out once a second. */
  function timeOfAck(): string {
    const now = Math.floor(clock.nowMs() / 1000);
    if (now !== second) {
      second = now;
      dateTime = hl7DateTime(now * 1000);
    }
    return dateTime;
  }

  function ack(message: Buffer, code: AckCode, text = '', answeredId?: string): Buffer {
    const answered = answeredId === undefined ? {} : { answeredId };
    return buildAck(message, code, { dateTime: timeOfAck(), text, ...answered });
  }

  function accept(message: Buffer): Buffer[] {
    const header = readHeader(message);
    if (header === null) return reject(message, 'AR', 'no MSH segment');
    counts.accepted++;
    options.onAccepted?.(message);
    if (!header.enhanced) return [ack(message, 'AA')];
    const replies: Buffer[] = [];
    if (isAckAsked(header.accept, true)) replies.push(ack(message, 'CA'));
    if (isAckAsked(header.application, true)) replies.push(ack(message, 'AA'));
    return replies;
  }

  function reject(message: Buffer, code: AckCode, text: string): Buffer[] {
    counts.rejected++;
    const header = readHeader(message);
    const isCommitted = header?.enhanced && code.startsWith('A') && isAckAsked(header.accept, true);
    // An application refusal comes after the commit ACK.
    return isCommitted ? [ack(message, 'CA'), ack(message, code, text)] : [ack(message, code, text)];
  }

  function noAnswer(): null {
    counts.unanswered++;
    return null;
  }

  async function sendSplit(replies: Buffer[], peer: MllpPeer): Promise<null> {
    for (const byte of Buffer.concat(replies.map((reply) => frame(reply)))) {
      peer.writeRaw(Buffer.of(byte));
      await nextTurn();
    }
    return null;
  }

  function misbehave(message: Buffer, peer: MllpPeer, name: MllpFault): MllpReply | Promise<MllpReply> {
    switch (name) {
      case 'AE':
      case 'AR':
      case 'CE':
      case 'CR':
        return reject(message, name, 'refused as planned');
      case 'silent':
        return noAnswer();
      case 'close':
        peer.end(Buffer.alloc(0));
        return noAnswer();
      case 'cut':
        peer.end(frame(ack(message, 'AA')).subarray(0, 20));
        return noAnswer();
      case 'garbage':
        peer.writeRaw(Buffer.from('this is no HL7 message\r'));
        return noAnswer();
      case 'wrong-id':
        counts.unanswered++;
        return ack(message, 'AA', '', 'ANOTHER-MESSAGE');
      case 'split':
        return sendSplit(accept(message), peer);
      case 'twice': {
        const replies = accept(message);
        return [...replies, ...replies];
      }
      case 'delay':
        return accept(message);
      default:
        return name satisfies never;
    }
  }

  function answer(message: Buffer, peer: MllpPeer, n: number): MllpReply | Promise<MllpReply> {
    const fault = faultFor(faultPlan, n);
    if (fault === null) return accept(message);
    if (fault.name !== 'delay') return misbehave(message, peer, fault.name);
    return delay(fault.argument ?? 0, stop.signal).then(() => accept(message));
  }

  /** A second message with the same control id gets a number behind it. */
  async function keep(message: Buffer, n: number, folder: string): Promise<void> {
    const name = fileName(readHeader(message)?.controlId ?? '');
    for (let suffix = n - 1; ; suffix++) {
      const file = suffix < n ? `${name}.hl7` : `${name}.${suffix}.hl7`;
      try {
        await writeFile(join(folder, file), message, { flag: 'wx' });
        counts.kept++;
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  async function keepAndAnswer(
    message: Buffer,
    peer: MllpPeer,
    n: number,
    folder: string,
  ): Promise<MllpReply> {
    try {
      await keep(message, n, folder);
    } catch (error) {
      const { code, message: text } = error as NodeJS.ErrnoException;
      const fault = code === 'ENOSPC' ? 'DISK_FULL' : 'STORAGE_FAILED';
      options.onFault?.({ ok: false, code: fault, message: `MLLP sink: ${text}`, retryable: false });
      return reject(message, 'AE', 'the message could not be kept');
    }
    return answer(message, peer, n);
  }

  const server = await createMllpServer({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls ?? null,
    onMessage(message, peer) {
      const n = ++counts.received;
      counts.bytes += message.length;
      digest?.add(message);
      return keepDir === null ? answer(message, peer, n) : keepAndAnswer(message, peer, n, keepDir);
    },
    onFault: (fault) => options.onFault?.(fault),
  });
  const current = (): MllpSinkCounts => ({ ...counts, digest: digest?.hex() ?? null });
  const close = async (): Promise<MllpSinkCounts> => {
    stop.abort();
    await server.close();
    return current();
  };
  return {
    port: server.port,
    counts: current,
    close,
    async [Symbol.asyncDispose]() {
      await close();
    },
  };
}
