import { YeeterError } from '../lib/errors.ts';

/** Command Field (0000,0100) of the requests we know, PS3.7 Annex E.1; a response has bit 15 set as well. */
export const COMMAND_FIELD = {
  cStoreRq: 0x0001,
  cFindRq: 0x0020,
  cEchoRq: 0x0030,
  cCancelRq: 0x0fff,
} as const;
export const RESPONSE_BIT = 0x8000;

/** The abstract syntax of C-ECHO, PS3.4 Annex A. */
export const VERIFICATION_SOP_CLASS = '1.2.840.10008.1.1';

/** Command Data Set Type (0000,0800) that says that no data set follows. */
const NO_DATA_SET = 0x0101;
const DATA_SET_FOLLOWS = 0x0000;

/**
 * A command set (PS3.7 section 6.3.1 and Annex E): the elements of group 0000 by keyword, absent when unset.
 * `hasDataSet` stands for Command Data Set Type; Command Group Length is computed.
 */
export interface Command {
  commandField: number;
  hasDataSet: boolean;
  affectedSopClassUid?: string | undefined;
  requestedSopClassUid?: string | undefined;
  messageId?: number | undefined;
  messageIdBeingRespondedTo?: number | undefined;
  priority?: number | undefined;
  status?: number | undefined;
  errorComment?: string | undefined;
  errorId?: number | undefined;
  affectedSopInstanceUid?: string | undefined;
  requestedSopInstanceUid?: string | undefined;
  moveDestination?: string | undefined;
  moveOriginatorAeTitle?: string | undefined;
  moveOriginatorMessageId?: number | undefined;
  eventTypeId?: number | undefined;
  actionTypeId?: number | undefined;
}

type TextKeyword = {
  [K in keyof Command]-?: string extends Command[K] ? K : never;
}[keyof Command];
type NumberKeyword = Exclude<keyof Command, TextKeyword | 'hasDataSet'> | 'commandDataSetType';

type Element =
  | readonly [element: number, keyword: NumberKeyword, kind: 'US']
  | readonly [element: number, keyword: TextKeyword, kind: 'UI' | 'AE' | 'LO'];

/** PS3.7 Table E.1-1, in ascending order of element number as the encoding demands. */
const ELEMENTS: readonly Element[] = [
  [0x0002, 'affectedSopClassUid', 'UI'],
  [0x0003, 'requestedSopClassUid', 'UI'],
  [0x0100, 'commandField', 'US'],
  [0x0110, 'messageId', 'US'],
  [0x0120, 'messageIdBeingRespondedTo', 'US'],
  [0x0600, 'moveDestination', 'AE'],
  [0x0700, 'priority', 'US'],
  [0x0800, 'commandDataSetType', 'US'],
  [0x0900, 'status', 'US'],
  [0x0902, 'errorComment', 'LO'],
  [0x0903, 'errorId', 'US'],
  [0x1000, 'affectedSopInstanceUid', 'UI'],
  [0x1001, 'requestedSopInstanceUid', 'UI'],
  [0x1002, 'eventTypeId', 'US'],
  [0x1008, 'actionTypeId', 'US'],
  [0x1030, 'moveOriginatorAeTitle', 'AE'],
  [0x1031, 'moveOriginatorMessageId', 'US'],
];

const BY_ELEMENT = new Map(ELEMENTS.map((entry) => [entry[0], entry]));

/** The longest command set that is read; far above what PS3.7 defines. */
export const MAX_COMMAND_BYTES = 65_536;

function writeHeader(target: Buffer, at: number, element: number, length: number): number {
  target.writeUInt16LE(0, at);
  target.writeUInt16LE(element, at + 2);
  target.writeUInt32LE(length, at + 4);
  return at + 8;
}

/**
 * Writes a command set in Implicit VR Little Endian (PS3.7 section 6.3.1) at `offset`.
 * @returns the offset behind it
 * @throws RangeError when the target is too small
 */
export function encodeCommand(command: Command, target: Buffer, offset: number): number {
  let at = writeHeader(target, offset, 0x0000, 4) + 4;
  const start = at;
  for (const [element, keyword, kind] of ELEMENTS) {
    const value =
      keyword === 'commandDataSetType'
        ? command.hasDataSet
          ? DATA_SET_FOLLOWS
          : NO_DATA_SET
        : command[keyword];
    if (value === undefined) continue;
    if (typeof value === 'number') {
      at = writeHeader(target, at, element, 2);
      at = target.writeUInt16LE(value, at);
      continue;
    }
    const length = value.length + (value.length & 1);
    at = writeHeader(target, at, element, length);
    if (at + length > target.length) throw new RangeError('the command set does not fit its buffer');
    target.write(value, at, value.length, 'latin1');
    if (length > value.length) target[at + value.length] = kind === 'UI' ? 0 : 0x20;
    at += length;
  }
  target.writeUInt32LE(at - start, start - 4);
  return at;
}

function readString(source: Buffer, start: number, end: number): string {
  let stop = end;
  while (stop > start && (source[stop - 1] === 0 || source[stop - 1] === 0x20)) stop--;
  return source.toString('latin1', start, stop);
}

/**
 * Reads a whole command set. Elements that are not in PS3.7's table are skipped.
 * @throws `DICOM_PROTOCOL` when an element overruns, is outside group 0000, or Command Field is missing
 */
export function decodeCommand(source: Buffer, from = 0, to = source.length): Command {
  const command: Command = { commandField: -1, hasDataSet: false };
  let at = from;
  while (at < to) {
    const end = at + 8 <= to ? at + 8 + source.readUInt32LE(at + 4) : Number.POSITIVE_INFINITY;
    if (end > to)
      throw new YeeterError('DICOM_PROTOCOL', `the command set is cut short at byte ${at - from}`);
    const group = source.readUInt16LE(at);
    if (group !== 0) {
      throw new YeeterError(
        'DICOM_PROTOCOL',
        `the command set holds an element of group ${group.toString(16)}`,
      );
    }
    const entry = BY_ELEMENT.get(source.readUInt16LE(at + 2));
    if (entry !== undefined) readElement(command, entry, source, at + 8, end);
    at = end;
  }
  if (command.commandField < 0)
    throw new YeeterError('DICOM_PROTOCOL', 'the command set has no Command Field');
  return command;
}

function readElement(command: Command, entry: Element, source: Buffer, start: number, end: number): void {
  if (entry[2] !== 'US') {
    command[entry[1]] = readString(source, start, end);
    return;
  }
  if (end - start < 2) return;
  const value = source.readUInt16LE(start);
  if (entry[1] === 'commandDataSetType') command.hasDataSet = value !== NO_DATA_SET;
  else command[entry[1]] = value;
}
