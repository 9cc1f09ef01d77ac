import { hash } from 'node:crypto';
import type { DataSet } from '../dicom/dataset.ts';
import { isValidUid } from '../dicom/uids.ts';
import { textFault } from '../dicom/vr.ts';
import { getValue, type Message } from '../hl7/message.ts';
import { deriveUid } from '../lib/uid.ts';

/** An order message as an item of a worklist. */
export interface ScheduledOrder {
  accessionNumber: string;
  /** ORC-1 takes the order back. */
  cancelled: boolean;
  /** The item without its scheduled step. */
  item: DataSet;
  step: DataSet & { ScheduledStationAETitle?: string | null };
}

const ORDER_MESSAGES: ReadonlySet<string> = new Set(['ORM', 'OMG', 'OMI']);
/** ORC-1 (HL7 table 0119): new, changed; and taken back. */
const PLACED: ReadonlySet<string> = new Set(['NW', 'XO', 'SN']);
const TAKEN_BACK: ReadonlySet<string> = new Set(['CA', 'DC', 'OC', 'OD']);

/** SH, CS and AE; LO and PN. */
const SHORT = 16;
const LONG = 64;

/** The first of the paths that is valued, cut to length; null when none is. */
function first(message: Message, max: number, ...paths: readonly string[]): string | null {
  for (const path of paths) {
    const text = getValue(message, path)
      ?.replaceAll(/[\p{Cc}\\]/gu, ' ')
      .trim();
    if (text) return [...text].slice(0, max).join('').trim();
  }
  return null;
}

/** Null for a message that is no order, or names no accession number (IPC-1, OBR-18, then the order's own numbers). */
export function scheduledOrder(message: Message): ScheduledOrder | null {
  if (!ORDER_MESSAGES.has(getValue(message, 'MSH-9.1') ?? '')) return null;
  const control = getValue(message, 'ORC-1') ?? 'NW';
  const cancelled = TAKEN_BACK.has(control);
  if (!cancelled && !PLACED.has(control)) return null;
  const accessionNumber = first(message, SHORT, 'IPC-1', 'OBR-18', 'OBR-3', 'OBR-2', 'ORC-3', 'ORC-2');
  if (accessionNumber === null) return null;
  return { accessionNumber, cancelled, item: itemOf(message, accessionNumber), step: stepOf(message) };
}

function itemOf(message: Message, accessionNumber: string): DataSet {
  return {
    AccessionNumber: accessionNumber,
    ReferringPhysicianName: personName(message, 'OBR-16', [2, 3, 4, 6, 5]),
    PatientName: personName(message, 'PID-5', [1, 2, 3, 5, 4]),
    PatientID: first(message, LONG, 'PID-3.1'),
    IssuerOfPatientID: first(message, LONG, 'PID-3.4'),
    PatientBirthDate: dateOf(first(message, LONG, 'PID-7')),
    PatientSex: sexOf(first(message, SHORT, 'PID-8')),
    StudyInstanceUID: uidOf(message) ?? deriveUid(null, 'worklist', accessionNumber),
    RequestedProcedureDescription: first(message, LONG, 'OBR-4.2', 'OBR-4.1'),
    RequestedProcedureCodeSequence: codeOf(message),
    RequestedProcedureID: first(message, SHORT, 'OBR-19', 'IPC-2') ?? numbered('RP', accessionNumber),
    PlacerOrderNumberImagingServiceRequest: first(message, LONG, 'ORC-2', 'OBR-2'),
    FillerOrderNumberImagingServiceRequest: first(message, LONG, 'ORC-3', 'OBR-3'),
  };
}

function stepOf(message: Message): ScheduledOrder['step'] {
  const start = first(message, LONG, 'TQ1-7', 'OBR-36', 'OBR-27.4', 'ORC-7.4', 'MSH-7') ?? '';
  const modality = first(message, SHORT, 'IPC-5', 'OBR-24');
  return {
    Modality: modality !== null && textFault('CS', modality) === null ? modality : 'OT',
    ScheduledStationAETitle: first(message, SHORT, 'IPC-9'),
    ScheduledProcedureStepStartDate: dateOf(start),
    ScheduledProcedureStepStartTime: timeOf(start),
    ScheduledProcedureStepDescription: first(message, LONG, 'OBR-4.2', 'OBR-4.1'),
    ScheduledProcedureStepID:
      first(message, SHORT, 'OBR-20', 'IPC-4') ??
      numbered('SPS', first(message, LONG, 'OBR-3', 'ORC-2') ?? ''),
  };
}

/** An id of ours, of eight digits. */
function numbered(prefix: string, of: string): string {
  return `${prefix}${hash('sha256', of, 'buffer').readUInt32BE() % 100_000_000}`;
}

function uidOf(message: Message): string | null {
  const uid = first(message, LONG, 'ZDS-1', 'IPC-3');
  return uid !== null && isValidUid(uid) ? uid : null;
}

function codeOf(message: Message): DataSet[] {
  const value = first(message, SHORT, 'OBR-4.1');
  const scheme = first(message, SHORT, 'OBR-4.3');
  const meaning = first(message, LONG, 'OBR-4.2', 'OBR-4.1');
  if (value === null || scheme === null) return [];
  return [{ CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning }];
}

/** @param order components of the HL7 field for family, given, middle, prefix and suffix (PS3.5 section 6.2.1) */
function personName(message: Message, path: string, order: readonly number[]): string | null {
  const parts = order.map((n) => (first(message, LONG, `${path}.${n}`) ?? '').replaceAll(/[=^]/g, ' '));
  return parts.join('^').slice(0, LONG).replace(/\^+$/, '') || null;
}

function dateOf(time: string | null): string | null {
  const date = time?.slice(0, 8) ?? '';
  return date !== '' && textFault('DA', date) === null ? date : null;
}

function timeOf(time: string): string | null {
  const part = time.slice(8, 14);
  return /^\d{4}(\d\d)?$/.test(part) && textFault('TM', part) === null ? part : null;
}

function sexOf(text: string | null): string | null {
  return text === 'F' || text === 'M' || text === 'O' ? text : null;
}
