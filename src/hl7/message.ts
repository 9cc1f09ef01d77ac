import { YeeterError } from '../lib/errors.ts';
import { type Delimiters, readDelimiters } from './delimiters.ts';
import { escapeText, unescapeText } from './escape.ts';
import { formatPath, type Hl7Path, parsePath } from './path.ts';

/** One line of a message. `text` is the truth; fields are found in it when they are asked for. */
interface Segment {
  text: string;
  /** What ended it: CR as the standard says, or LF or CRLF as files often have it; empty at the end of some. */
  terminator: string;
}

/** A parsed message. Serialising it gives the text that was parsed, apart from what was set. */
export interface Message {
  /** A byte order mark, which some files begin with. */
  byteOrderMark: boolean;
  delimiters: Delimiters;
  segments: Segment[];
}

const BYTE_ORDER_MARK = '\ufeff';

/**
 * Splits a message into segments; reads no further than the encoding characters.
 * @throws {YeeterError} HL7_PARSE when it does not begin with a proper MSH segment.
 */
export function parseMessage(text: string): Message {
  const byteOrderMark = text.startsWith(BYTE_ORDER_MARK);
  const segments = splitSegments(byteOrderMark ? text.slice(1) : text);
  const header = segments.find((segment) => segment.text !== '');
  if (!header?.text.startsWith('MSH')) {
    const found = header ? `"${header.text.slice(0, 20)}"` : 'nothing';
    throw new YeeterError('HL7_PARSE', `a message begins with an MSH segment, but this begins with ${found}`);
  }
  return { byteOrderMark, delimiters: readDelimiters(header.text), segments };
}

export function serialiseMessage(message: Message): string {
  let text = message.byteOrderMark ? BYTE_ORDER_MARK : '';
  for (const segment of message.segments) text += segment.text + segment.terminator;
  return text;
}

/**
 * The unescaped value at a path, or null when it is not valued. Where the path stops above the lowest level and
 * there is more than one element below, the value is the first of them, as HL7's rule for extended data types
 * has it: `OBR-3` of `A1^PACS` is `A1`.
 * @throws {YeeterError} HL7_PATH when the path cannot be read.
 */
export function getValue(message: Message, path: string | Hl7Path): string | null {
  const raw = getRaw(message, path);
  if (raw === null) return null;
  const place = typeof path === 'string' ? parsePath(path) : path;
  if (isEncodingCharacters(place)) return raw;
  const { component, subcomponent } = message.delimiters;
  let leaf = raw;
  if (place.component === null) leaf = nthElement(leaf, component, 1) ?? '';
  if (place.subcomponent === null && subcomponent !== null) leaf = nthElement(leaf, subcomponent, 1) ?? '';
  return leaf === '' ? null : unescapeText(leaf, message.delimiters);
}

/** The text at a path as it stands, delimiters and escapes included, or null when it is not valued. */
export function getRaw(message: Message, path: string | Hl7Path): string | null {
  const place = typeof path === 'string' ? parsePath(path) : path;
  const segment = findSegment(message, place.segment, place.segmentRepetition);
  if (!segment) return null;
  const { field, repetition, component, subcomponent } = message.delimiters;
  const header = isHeader(place.segment);
  if (header && place.field === 1) return place.repetition === 1 ? field : null;
  let text = nthElement(segment.text, field, place.field + (header ? 0 : 1));
  if (header && place.field === 2) return text || null;
  if (text !== null) text = nthOrWhole(text, repetition, place.repetition);
  if (text !== null && place.component !== null) text = nthOrWhole(text, component, place.component);
  if (text !== null && place.subcomponent !== null) text = nthOrWhole(text, subcomponent, place.subcomponent);
  return text || null;
}

/**
 * Puts a value at a path, escaped, in place of all that stands there. What the path needs and the message lacks is
 * added; a missing segment goes to the end.
 * @throws {YeeterError} HL7_PATH when the path cannot be read, names MSH-1 or MSH-2, or needs a delimiter that the
 * message does not declare.
 */
export function setValue(message: Message, path: string | Hl7Path, value: string): void {
  const place = typeof path === 'string' ? parsePath(path) : path;
  if (isEncodingCharacters(place)) {
    throw new YeeterError('HL7_PATH', `${formatPath(place)}: encoding characters cannot be changed`);
  }
  const { delimiters } = message;
  const escaped = escapeText(value, delimiters);
  const inComponent = (text: string): string =>
    place.subcomponent === null
      ? escaped
      : replaceNth(text, delimiters.subcomponent, place.subcomponent, place, () => escaped);
  const inRepetition = (text: string): string =>
    place.component === null
      ? escaped
      : replaceNth(text, delimiters.component, place.component, place, inComponent);
  const inField = (text: string): string =>
    replaceNth(text, delimiters.repetition, place.repetition, place, inRepetition);
  const segment = findSegment(message, place.segment, place.segmentRepetition) ?? addSegment(message, place);
  const position = place.field + (isHeader(place.segment) ? 0 : 1);
  segment.text = replaceNth(segment.text, delimiters.field, position, place, inField);
}

/** MSH-9 as `ORM^O01`; the code alone when there is no trigger event; null when MSH-9 is empty. */
export function messageType(message: Message): string | null {
  const code = getValue(message, MESSAGE_CODE);
  const trigger = getValue(message, TRIGGER_EVENT);
  return trigger === null ? code : `${code ?? ''}^${trigger}`;
}

/** MSH-10 of a message's text, found without parsing the rest; null when it is not valued. */
export function readControl(text: string): string | null {
  const start = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  const separator = text[start + 3];
  if (separator === undefined || !text.startsWith('MSH', start)) return null;
  const end = text.slice(start).search(/[\r\n]/);
  const header = end === -1 ? text.slice(start) : text.slice(start, start + end);
  return nthElement(header, separator, 10) || null;
}

const MESSAGE_CODE = parsePath('MSH-9.1');
const TRIGGER_EVENT = parsePath('MSH-9.2');

function splitSegments(text: string): Segment[] {
  const segments: Segment[] = [];
  const terminator = /\r\n|\r|\n/g;
  let start = 0;
  for (let match = terminator.exec(text); match; match = terminator.exec(text)) {
    segments.push({ text: text.slice(start, match.index), terminator: match[0] });
    start = terminator.lastIndex;
  }
  if (start < text.length) segments.push({ text: text.slice(start), terminator: '' });
  return segments;
}

function findSegment(message: Message, name: string, repetition: number): Segment | null {
  const { field } = message.delimiters;
  let seen = 0;
  for (const segment of message.segments) {
    const { text } = segment;
    if (!text.startsWith(name) || (text.length > 3 && text[3] !== field)) continue;
    seen++;
    if (seen === repetition) return segment;
  }
  return null;
}

function addSegment(message: Message, place: Hl7Path): Segment {
  const { segments } = message;
  if (place.segmentRepetition > 1 && !findSegment(message, place.segment, place.segmentRepetition - 1)) {
    throw new YeeterError(
      'HL7_PATH',
      `${formatPath(place)}: the message has no ${place.segment} segment before it`,
    );
  }
  const last = segments[segments.length - 1]!;
  const terminator = segments[0]!.terminator || '\r';
  if (last.terminator === '') last.terminator = terminator;
  const segment = { text: place.segment, terminator };
  segments.push(segment);
  return segment;
}

/** In these, field 1 is the separator itself, so that the first text after the name is field 2. */
function isHeader(segment: string): boolean {
  return segment === 'MSH' || segment === 'FHS' || segment === 'BHS';
}

function isEncodingCharacters(place: Hl7Path): boolean {
  return isHeader(place.segment) && place.field <= 2;
}

/** The n-th of the elements between separators, or null when there are fewer. */
function nthElement(text: string, separator: string, n: number): string | null {
  let start = 0;
  for (let i = 1; i < n; i++) {
    start = text.indexOf(separator, start) + 1;
    if (start === 0) return null;
  }
  const end = text.indexOf(separator, start);
  return text.slice(start, end === -1 ? undefined : end);
}

function nthOrWhole(text: string, separator: string | null, n: number): string | null {
  if (separator === null) return n === 1 ? text : null;
  return nthElement(text, separator, n);
}

function replaceNth(
  text: string,
  separator: string | null,
  n: number,
  place: Hl7Path,
  replace: (old: string) => string,
): string {
  if (separator === null) {
    if (n === 1) return replace(text);
    throw new YeeterError('HL7_PATH', `${formatPath(place)}: MSH-2 declares no delimiter for it`);
  }
  const elements = text.split(separator);
  while (elements.length < n) elements.push('');
  elements[n - 1] = replace(elements[n - 1]!);
  return elements.join(separator);
}
