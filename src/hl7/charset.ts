import { YeeterError } from '../lib/errors.ts';
import { getRaw, type Message, parseMessage } from './message.ts';
import { parsePath } from './path.ts';

/** Character sets of MSH-18 that we read and write (HL7 table 0211). */
interface Charset {
  /** Null when a byte has no meaning in it. */
  decode(bytes: Buffer): string | null;
  /** Null when a character is not in it. */
  encode(text: string): Buffer | null;
}

const NAME = parsePath('MSH-18');
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

const ASCII: Charset = {
  decode: (bytes) => (bytes.some((byte) => byte > 0x7f) ? null : bytes.toString('latin1')),
  encode: (text) => (/[\u0080-\uffff]/.test(text) ? null : Buffer.from(text, 'latin1')),
};

const LATIN_1: Charset = {
  decode: (bytes) => bytes.toString('latin1'),
  encode: (text) => (/[\u0100-\uffff]/.test(text) ? null : Buffer.from(text, 'latin1')),
};

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const UTF_8: Charset = {
  decode(bytes) {
    try {
      return strictUtf8.decode(bytes);
    } catch {
      return null;
    }
  },
  encode: (text) => (text.isWellFormed() ? Buffer.from(text, 'utf8') : null),
};

const CHARSETS: ReadonlyMap<string, Charset> = new Map([
  ['ASCII', ASCII],
  ['8859/1', LATIN_1],
  ['8859/2', eightBit('iso-8859-2')],
  ['8859/3', eightBit('iso-8859-3')],
  ['8859/4', eightBit('iso-8859-4')],
  ['8859/5', eightBit('iso-8859-5')],
  ['8859/6', eightBit('iso-8859-6')],
  ['8859/7', eightBit('iso-8859-7')],
  ['8859/8', eightBit('iso-8859-8')],
  ['8859/9', eightBit('windows-1254')],
  ['8859/15', eightBit('iso-8859-15')],
  ['UNICODE UTF-8', UTF_8],
]);

/**
 * Decodes a message by its MSH-18; empty means ASCII, a byte order mark means UTF-8. The mark stays in the text.
 * @throws {YeeterError} HL7_CHARSET for a name that is not supported or bytes that are not in the named set;
 * HL7_PARSE when there is no proper MSH segment.
 */
export function decodeMessage(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.subarray(0, 3).equals(BYTE_ORDER_MARK)) return decode(buffer, 'UNICODE UTF-8');
  // The header up to MSH-18 is readable in any of the sets, since all of them extend ASCII.
  return decode(buffer, charsetName(parseMessage(firstLine(buffer.toString('latin1', 0, 4096)))));
}

/**
 * Encodes a message by its MSH-18, as `decodeMessage` reads it.
 * @throws {YeeterError} HL7_CHARSET, also for a character that is not in the named set; HL7_PARSE.
 */
export function encodeMessage(text: string): Buffer {
  const marked = text.startsWith('\ufeff');
  const name = marked ? 'UNICODE UTF-8' : charsetName(parseMessage(firstLine(text)));
  const bytes = findCharset(name).encode(text);
  if (bytes) return bytes;
  throw new YeeterError(
    'HL7_CHARSET',
    `the message holds "${firstUnencodable(text, name)}", which its character set ${name} (MSH-18) lacks: ` +
      'set MSH-18 to UNICODE UTF-8',
  );
}

/** MSH-18 in its table's spelling; `ASCII` when it is empty. Only its first repetition counts. */
function charsetName(header: Message): string {
  return (getRaw(header, NAME) ?? 'ASCII').trim().toUpperCase();
}

function findCharset(name: string): Charset {
  const charset = CHARSETS.get(name);
  if (charset) return charset;
  throw new YeeterError(
    'HL7_CHARSET',
    `MSH-18 names the character set "${name.slice(0, 40)}", which is not supported: use one of ${[...CHARSETS.keys()].join(', ')}`,
  );
}

function decode(bytes: Buffer, name: string): string {
  const text = findCharset(name).decode(bytes);
  if (text !== null) return text;
  throw new YeeterError(
    'HL7_CHARSET',
    `the message holds bytes that are not in its character set ${name} (MSH-18): the sender must set MSH-18 to what it sends`,
  );
}

function firstLine(text: string): string {
  const start = text.search(/[^\r\n]/);
  if (start === -1) return '';
  const end = text.slice(start).search(/[\r\n]/);
  return end === -1 ? text.slice(start) : text.slice(start, start + end);
}

function firstUnencodable(text: string, name: string): string {
  for (const character of text) if (!findCharset(name).encode(character)) return character;
  return '';
}

/** A part of ISO 8859: ASCII, control characters, and the upper 96 places as the decoder of that label has them. */
function eightBit(label: string): Charset {
  const upper = new TextDecoder(label).decode(Uint8Array.from({ length: 96 }, (_, i) => 0xa0 + i));
  const toByte = new Map([...upper].map((character, i) => [character, 0xa0 + i]));
  return {
    decode(bytes) {
      let text = '';
      for (const byte of bytes) text += byte < 0xa0 ? String.fromCharCode(byte) : upper[byte - 0xa0];
      return text.includes('\ufffd') ? null : text;
    },
    encode(text) {
      const bytes = Buffer.allocUnsafe(text.length);
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        const byte = code < 0xa0 ? code : toByte.get(text[i]!);
        if (byte === undefined || code === 0xfffd) return null;
        bytes[i] = byte;
      }
      return bytes;
    },
  };
}
