import { YeeterError } from '../lib/errors.ts';

/** Command Field (0000,0100) of the requests we know, PS3.7 Annex E.1; a response has bit 15 set as well. */
export const COMMAND_FIELD = {
  cStoreRq: 0x0001,
  cFindRq: 0x0020,
  cEchoRq: 0x0030,
  nSetRq: 0x0120,
  nCreateRq: 0x0140,
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

/** The longest command set that is read; far above what PS3.7 defines. */
export const MAX_COMMAND_BYTES = 65_536;

const NUL = 0x00;
const SPACE = 0x20;

/**
 * Writes a command set in Implicit VR Little Endian (PS3.7 section 6.3.1) at `offset`: the elements of Table
 * E.1-1 by ascending number. Straight-line code on purpose: it runs between two large copies of the kernel, with
 * cold caches, where a table of keywords costs several times as much.
 * @returns the offset behind it
 * @throws RangeError when the target is too small
 */
export function encodeCommand(command: Command, target: Buffer, offset: number): number {
  const start = writeHeader(target, offset, 0x0000, 4) + 4;
  let at = writeText(target, start, 0x0002, command.affectedSopClassUid, NUL);
  at = writeText(target, at, 0x0003, command.requestedSopClassUid, NUL);
  at = writeNumber(target, at, 0x0100, command.commandField);
  at = writeNumber(target, at, 0x0110, command.messageId);
  at = writeNumber(target, at, 0x0120, command.messageIdBeingRespondedTo);
  at = writeText(target, at, 0x0600, command.moveDestination, SPACE);
  at = writeNumber(target, at, 0x0700, command.priority);
  at = writeNumber(target, at, 0x0800, command.hasDataSet ? DATA_SET_FOLLOWS : NO_DATA_SET);
  at = writeNumber(target, at, 0x0900, command.status);
  at = writeText(target, at, 0x0902, command.errorComment, SPACE);
  at = writeNumber(target, at, 0x0903, command.errorId);
  at = writeText(target, at, 0x1000, command.affectedSopInstanceUid, NUL);
  at = writeText(target, at, 0x1001, command.requestedSopInstanceUid, NUL);
  at = writeNumber(target, at, 0x1002, command.eventTypeId);
  at = writeNumber(target, at, 0x1008, command.actionTypeId);
  at = writeText(target, at, 0x1030, command.moveOriginatorAeTitle, SPACE);
  at = writeNumber(target, at, 0x1031, command.moveOriginatorMessageId);
  target.writeUInt32LE(at - start, start - 4);
  return at;
}

function writeHeader(target: Buffer, at: number, element: number, length: number): number {
  target.writeUInt16LE(0, at);
  target.writeUInt16LE(element, at + 2);
  return target.writeUInt32LE(length, at + 4);
}

function writeNumber(target: Buffer, at: number, element: number, value: number | undefined): number {
  if (value === undefined) return at;
  return target.writeUInt16LE(value, writeHeader(target, at, element, 2));
}

function writeText(
  target: Buffer,
  at: number,
  element: number,
  value: string | undefined,
  padding: number,
): number {
  if (value === undefined) return at;
  const length = value.length + (value.length & 1);
  const from = writeHeader(target, at, element, length);
  if (from + length > target.length) throw new RangeError('the command set does not fit its buffer');
  target.write(value, from, value.length, 'latin1');
  if (length > value.length) target[from + value.length] = padding;
  return from + length;
}

function readText(source: Buffer, start: number, end: number): string {
  let stop = end;
  while (stop > start && (source[stop - 1] === NUL || source[stop - 1] === SPACE)) stop--;
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
    const element = source.readUInt16LE(at + 2);
    if (TEXT_ELEMENTS.has(element)) readTextElement(command, element, readText(source, at + 8, end));
    else if (end - at >= 10) readNumberElement(command, element, source.readUInt16LE(at + 8));
    at = end;
  }
  if (command.commandField < 0)
    throw new YeeterError('DICOM_PROTOCOL', 'the command set has no Command Field');
  return command;
}

const TEXT_ELEMENTS: ReadonlySet<number> = new Set([0x0002, 0x0003, 0x0600, 0x0902, 0x1000, 0x1001, 0x1030]);

function readTextElement(command: Command, element: number, value: string): void {
  if (element === 0x0002) command.affectedSopClassUid = value;
  else if (element === 0x1000) command.affectedSopInstanceUid = value;
  else if (element === 0x0003) command.requestedSopClassUid = value;
  else if (element === 0x1001) command.requestedSopInstanceUid = value;
  else if (element === 0x0600) command.moveDestination = value;
  else if (element === 0x0902) command.errorComment = value;
  else command.moveOriginatorAeTitle = value;
}

function readNumberElement(command: Command, element: number, value: number): void {
  if (element === 0x0100) command.commandField = value;
  else if (element === 0x0110) command.messageId = value;
  else if (element === 0x0120) command.messageIdBeingRespondedTo = value;
  else if (element === 0x0700) command.priority = value;
  else if (element === 0x0800) command.hasDataSet = value !== NO_DATA_SET;
  else if (element === 0x0900) command.status = value;
  else if (element === 0x0903) command.errorId = value;
  else if (element === 0x1002) command.eventTypeId = value;
  else if (element === 0x1008) command.actionTypeId = value;
  else if (element === 0x1031) command.moveOriginatorMessageId = value;
}
