import { isUtf8 } from 'node:buffer';
import { CR } from './mllp-codec.ts';

/**
 * Acknowledgements (HL7 v2 chapter 2: the MSA and ERR segments, original and enhanced processing rules 2.9.2 and
 * 2.9.3), read straight from the bytes: the wire needs a handful of fields and must not pay for a parsed message.
 */
export const ACK_CODES = ['AA', 'AE', 'AR', 'CA', 'CE', 'CR'] as const;
export type AckCode = (typeof ACK_CODES)[number];

/** When an acknowledgement is asked for, table 0155: always, never, on error or reject, on success. */
export type AckCondition = 'AL' | 'NE' | 'ER' | 'SU';

export interface MessageHeader {
  /** MSH-10, the message control id. */
  controlId: string;
  /** Whether MSH-15 or MSH-16 is valued, which asks for the enhanced acknowledgement mode. */
  enhanced: boolean;
  /** MSH-15: the commit acknowledgement CA, CE or CR. `NE` when only MSH-16 is valued. */
  accept: AckCondition;
  /** MSH-16: the application acknowledgement AA, AE or AR. `NE` when only MSH-15 is valued. */
  application: AckCondition;
}

export interface Ack {
  code: AckCode;
  /** MSA-2: the control id of the message that it answers. */
  controlId: string;
  /** MSA-3, and for a refusal what the first ERR segment says, escapes unresolved; empty without a reason. */
  text: string;
}

export interface BuildAckOptions {
  /** MSA-3; ASCII, since the character set of the answer is that of the message, whatever it is. */
  text?: string;
  /** MSH-10 of the acknowledgement; unless set, `A` and the last 19 characters of the message's own. */
  controlId?: string;
  /** MSA-2; the message's MSH-10 unless set. */
  answeredId?: string;
  /** MSH-7, `YYYYMMDDHHMMSS` with an offset; now unless set. */
  dateTime?: string;
}

const LF = 0x0a;

/** Whether a condition asks for an acknowledgement of a message that was taken (or of one that was not). */
export function isAckAsked(condition: AckCondition, success: boolean): boolean {
  return condition === 'AL' || condition === (success ? 'SU' : 'ER');
}

/** The field's text: UTF-8 where it is that, else one character a byte, so that equal texts are equal bytes. */
function textAt(bytes: Buffer, start: number, end: number): string {
  if (start >= end) return '';
  for (let i = start; i < end; i++) {
    if (bytes[i]! >= 0x80) {
      const part = bytes.subarray(start, end);
      return part.toString(isUtf8(part) ? 'utf8' : 'latin1');
    }
  }
  return bytes.toString('latin1', start, end);
}

/** Where the message begins: behind a UTF-8 byte order mark when there is one; -1 when it has no MSH. */
function headerStart(message: Buffer): number {
  const start = message[0] === 0xef && message[1] === 0xbb && message[2] === 0xbf ? 3 : 0;
  const isHeader =
    message[start] === 0x4d &&
    message[start + 1] === 0x53 &&
    message[start + 2] === 0x48 &&
    message.length > start + 4;
  return isHeader ? start : -1;
}

/**
 * The offsets behind each field separator of the segment at `start`: field n lies from `bounds[n - 1]` to
 * `bounds[n] - 1`. The last bound stands one behind the segment's end.
 */
function fieldBounds(message: Buffer, start: number, separator: number, most: number): number[] {
  const bounds: number[] = [];
  let at = start;
  for (; at < message.length; at++) {
    const byte = message[at];
    if (byte === separator) {
      bounds.push(at + 1);
      if (bounds.length > most) return bounds;
    } else if (byte === CR || byte === LF) break;
  }
  bounds.push(at + 1);
  return bounds;
}

function fieldText(message: Buffer, bounds: readonly number[], index: number): string {
  return index + 1 < bounds.length ? textAt(message, bounds[index]!, bounds[index + 1]! - 1) : '';
}

const CONDITIONS: readonly string[] = ['AL', 'NE', 'ER', 'SU'];

function condition(text: string): AckCondition {
  if (text === '') return 'NE';
  return CONDITIONS.includes(text) ? (text as AckCondition) : 'AL';
}

/** Reads what the wire needs of MSH; null when the message does not begin with it. */
export function readHeader(message: Buffer): MessageHeader | null {
  const start = headerStart(message);
  if (start === -1) return null;
  // MSH-1 is the separator itself, so that the field behind the n-th separator is MSH-(n + 1).
  const bounds = fieldBounds(message, start, message[start + 3]!, 16);
  const accept = fieldText(message, bounds, 13);
  const application = fieldText(message, bounds, 14);
  return {
    controlId: fieldText(message, bounds, 8),
    enhanced: accept !== '' || application !== '',
    accept: condition(accept),
    application: condition(application),
  };
}

/** The start of the next segment at or behind `at`, past any CR and LF; -1 at the end. */
function nextSegment(message: Buffer, at: number): number {
  let i = at;
  while (i < message.length && message[i] !== CR && message[i] !== LF) i++;
  while (i < message.length && (message[i] === CR || message[i] === LF)) i++;
  return i < message.length ? i : -1;
}

function findSegment(message: Buffer, from: number, name: string, separator: number): number {
  const [a, b, c] = [name.charCodeAt(0), name.charCodeAt(1), name.charCodeAt(2)];
  let at = nextSegment(message, from);
  while (at !== -1) {
    if (
      message[at] === a &&
      message[at + 1] === b &&
      message[at + 2] === c &&
      message[at + 3] === separator
    ) {
      return at;
    }
    at = nextSegment(message, at);
  }
  return -1;
}

/** Acknowledgement codes by their two bytes, so that reading one makes no string. */
const CODE_BY_BYTES = new Map<number, AckCode>(
  ACK_CODES.map((code) => [(code.charCodeAt(0) << 8) | code.charCodeAt(1), code]),
);

/**
 * Reads an acknowledgement. Null when the bytes are none: no MSH, no MSA, or an MSA-1 outside table 0008.
 * The code is MSA-1 alone; what the text says changes nothing.
 */
export function parseAck(message: Buffer): Ack | null {
  const start = headerStart(message);
  if (start === -1) return null;
  const separator = message[start + 3]!;
  const msa = findSegment(message, start, 'MSA', separator);
  if (msa === -1) return null;
  const bounds = fieldBounds(message, msa, separator, 4);
  const length = (bounds[1] ?? 0) - 1 - bounds[0]!;
  const code =
    length === 2 ? CODE_BY_BYTES.get((message[bounds[0]!]! << 8) | message[bounds[0]! + 1]!) : undefined;
  if (code === undefined) return null;
  const accepted = code === 'AA' || code === 'CA';
  return {
    code,
    controlId: fieldText(message, bounds, 1),
    text: accepted
      ? fieldText(message, bounds, 2)
      : reason(message, msa, separator, fieldText(message, bounds, 2)),
  };
}

/**
 * The code when a reply is a plain AA or CA for that control id, as nearly all are; null for everything else, which
 * `parseAck` then reads in full. Makes no string.
 */
export function acceptanceOf(reply: Buffer, controlId: string): 'AA' | 'CA' | null {
  if (reply[0] !== 0x4d || reply[1] !== 0x53 || reply[2] !== 0x48) return null;
  const separator = reply[3]!;
  let at = 4;
  while (at < reply.length && reply[at] !== CR) at++;
  // CR, MSA, separator, code, separator, control id.
  if (reply[at + 1] !== 0x4d || reply[at + 2] !== 0x53 || reply[at + 3] !== 0x41) return null;
  if (reply[at + 4] !== separator || reply[at + 6] !== 0x41 || reply[at + 7] !== separator) return null;
  const first = at + 8;
  const length = controlId.length;
  const end = reply[first + length];
  if (length === 0 || (end !== separator && end !== CR && end !== undefined)) return null;
  for (let i = 0; i < length; i++) {
    const character = controlId.charCodeAt(i);
    if (character !== reply[first + i] || character >= 0x80) return null;
  }
  return reply[at + 5] === 0x41 ? 'AA' : reply[at + 5] === 0x43 ? 'CA' : null;
}

/** MSA-3 and the first ERR segment in words: ERR-8 or ERR-7 or ERR-3 (from 2.5 on), else ERR-1 as it stands. */
function reason(message: Buffer, msa: number, separator: number, msaText: string): string {
  const parts = msaText === '' ? [] : [msaText];
  const err = findSegment(message, msa, 'ERR', separator);
  if (err !== -1) {
    const bounds = fieldBounds(message, err, separator, 9);
    const text = [7, 6, 2, 0].map((index) => fieldText(message, bounds, index)).find((field) => field !== '');
    if (text !== undefined && text !== msaText) parts.push(text);
  }
  return parts.join('; ');
}

/** `YYYYMMDDHHMMSS+0000` (HL7 DTM) of a time in milliseconds since the epoch. */
export function hl7DateTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}+0000`;
}

/** Replaces the message's separators by their escapes, control characters by spaces, and what is not ASCII by `?`. */
function escapeText(text: string, separators: string): string {
  const names = new Map<string, string>();
  // Separators stand in the order of MSH-1 and MSH-2: field, component, repetition, escape, subcomponent.
  for (const [index, separator] of [...separators].slice(0, 5).entries())
    names.set(separator, 'FSRET'[index]!);
  const mark = separators[3] ?? '';
  let escaped = '';
  for (const character of text) {
    const name = names.get(character);
    if (name !== undefined) escaped += mark + name + mark;
    else if (character < ' ') escaped += ' ';
    else escaped += character > '~' ? '?' : character;
  }
  return escaped;
}

/** The MSH segment, one character a byte: names in any character set come out as the bytes that came in. */
function headerText(message: Buffer, start: number): string {
  let end = start;
  while (end < message.length && message[end] !== CR && message[end] !== LF) end++;
  return message.toString('latin1', start, end);
}

/**
 * Builds the acknowledgement of a message: sender and receiver swapped, its separators, processing id (MSH-11),
 * version (MSH-12) and character set (MSH-18) echoed, its control id in MSA-2. Bytes without an MSH get an
 * acknowledgement with the usual separators and no addresses.
 */
export function buildAck(message: Buffer, code: AckCode, options: BuildAckOptions = {}): Buffer {
  const start = headerStart(message);
  const s = start === -1 ? '|' : String.fromCharCode(message[start + 3]!);
  const fields = start === -1 ? [] : headerText(message, start).split(s, 18);
  // MSH-1 is the separator, so that MSH-n is the piece n - 1.
  const field = (n: number): string => fields[n - 1] ?? '';
  const encoding = field(2) || '^~\\&';
  const component = encoding[0]!;
  const [, trigger, structure] = field(9).split(component);
  const type = `ACK${trigger ? component + trigger : ''}${trigger && structure ? `${component}ACK` : ''}`;
  const answered = options.answeredId ?? field(10);
  const own = options.controlId ?? `A${field(10).slice(-19)}`;
  const charset = field(18) === '' ? '' : s.repeat(6) + field(18);
  const text =
    options.text === undefined || options.text === '' ? '' : s + escapeText(options.text, s + encoding);
  return Buffer.from(
    `MSH${s}${encoding}${s}${field(5)}${s}${field(6)}${s}${field(3)}${s}${field(4)}${s}` +
      `${options.dateTime ?? hl7DateTime(Date.now())}${s}${s}${type}${s}${own}${s}${field(11)}${s}${field(12)}${charset}\r` +
      `MSA${s}${code}${s}${answered}${text}\r`,
    'latin1',
  );
}
