import { inferModality } from '../domain/infer-modality.ts';
import { isModality, MODALITIES, type Modality } from '../domain/modality.ts';
import type { OrderContext } from '../domain/order.ts';
import { getRaw, getValue, type Message, parseMessage } from '../hl7/message.ts';
import { type Hl7Path, parsePath } from '../hl7/path.ts';

const DEFAULT_MODALITY: Modality = 'CT';

/** Diagnostic service sections of HL7 table 0074 that are one modality; RAD is any. */
const DIAGNOSTIC_SECTIONS: ReadonlyMap<string, Modality> = new Map<string, Modality>([
  ['NMR', 'MR'],
  ['NMS', 'NM'],
  ['RUS', 'US'],
  ['RX', 'DX'],
]);

const MODALITY_HINT = new RegExp(
  `(?<![A-Z0-9])(${MODALITIES.join('|')})_|_(${MODALITIES.join('|')})(?![A-Z0-9])`,
);

/** Longest values of the DICOM representations that the facts will have (PS3.5 section 6.2). */
const SHORT_STRING = 16;
const LONG_STRING = 64;

const UID = /^(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+$/;

const PATHS = {
  placer: parsePath('ORC-2'),
  filler: parsePath('ORC-3'),
  placerOfRequest: parsePath('OBR-2'),
  fillerOfRequest: parsePath('OBR-3'),
  procedureCode: parsePath('OBR-4.1'),
  procedureText: parsePath('OBR-4.2'),
  procedureIdOfRequest: parsePath('OBR-19'),
  stepIdOfRequest: parsePath('OBR-20'),
  section: parsePath('OBR-24'),
  procedureId: parsePath('IPC-2'),
  studyUid: parsePath('IPC-3'),
  stepId: parsePath('IPC-4'),
  modality: parsePath('IPC-5'),
  stationAeTitle: parsePath('IPC-9'),
  studyUidOfDocument: parsePath('ZDS-1'),
  hint: parsePath('ZDS-3'),
  patientId: parsePath('PID-3.1'),
  patientIssuer: parsePath('PID-3.4'),
  familyName: parsePath('PID-5.1'),
  givenName: parsePath('PID-5.2'),
  middleName: parsePath('PID-5.3'),
  nameSuffix: parsePath('PID-5.4'),
  namePrefix: parsePath('PID-5.5'),
  birthDate: parsePath('PID-7'),
  sex: parsePath('PID-8'),
} as const satisfies Record<string, Hl7Path>;

/**
 * What a message says about its first order and its patient. A message without an order (no ORC, OBR or IPC
 * segment) says nothing of a modality; one with an order that names none is for CT.
 * @param accessionField where the accession number stands, like `OBR.3`; its first component, at most 16 characters
 * @throws {YeeterError} HL7_PARSE, HL7_PATH
 */
export function readOrderContext(text: string, accessionField: string): OrderContext {
  const message = parseMessage(text);
  const read = (path: Hl7Path, maxLength = LONG_STRING): string | null => valueAt(message, path, maxLength);
  const studyDescription = read(PATHS.procedureText) ?? read(PATHS.procedureCode);
  return {
    accessionNumber: read(parsePath(accessionField), SHORT_STRING),
    placerOrderNumber: read(PATHS.placer) ?? read(PATHS.placerOfRequest),
    fillerOrderNumber: read(PATHS.filler) ?? read(PATHS.fillerOfRequest),
    requestedProcedureId:
      read(PATHS.procedureIdOfRequest, SHORT_STRING) ?? read(PATHS.procedureId, SHORT_STRING),
    scheduledProcedureStepId: read(PATHS.stepIdOfRequest, SHORT_STRING) ?? read(PATHS.stepId, SHORT_STRING),
    studyInstanceUid: uidAt(message, PATHS.studyUidOfDocument) ?? uidAt(message, PATHS.studyUid),
    studyDescription,
    modality: hasOrder(message) ? modalityOf(message, studyDescription) : null,
    stationAeTitle: read(PATHS.stationAeTitle, SHORT_STRING),
    patientId: read(PATHS.patientId),
    patientIssuer: read(PATHS.patientIssuer),
    patientName: patientName(message),
    patientBirthDate: birthDate(read(PATHS.birthDate)),
    patientSex: sex(read(PATHS.sex)),
  };
}

/** Trimmed and cut to length; null when nothing is left, or when the sender deletes the value with `""`. */
function valueAt(message: Message, path: Hl7Path, maxLength: number): string | null {
  const value = getValue(message, path)?.trim().slice(0, maxLength).trimEnd();
  return value && value !== '""' ? value : null;
}

function hasOrder(message: Message): boolean {
  return message.segments.some(({ text }) => /^(?:OBR|ORC|IPC)/.test(text));
}

function modalityOf(message: Message, description: string | null): Modality {
  return (
    modalityTerm(valueAt(message, PATHS.modality, LONG_STRING)) ??
    sectionModality(valueAt(message, PATHS.section, LONG_STRING)) ??
    hintedModality(getRaw(message, PATHS.hint)) ??
    (description === null ? null : inferModality(description)) ??
    DEFAULT_MODALITY
  );
}

function modalityTerm(text: string | null): Modality | null {
  const term = text?.toUpperCase() ?? '';
  return isModality(term) ? term : null;
}

function sectionModality(text: string | null): Modality | null {
  return modalityTerm(text) ?? DIAGNOSTIC_SECTIONS.get(text?.toUpperCase() ?? '') ?? null;
}

/** `CT_HEAD`, `SCANNER_CT` and the like, the first of them. */
function hintedModality(text: string | null): Modality | null {
  if (text === null) return null;
  const match = MODALITY_HINT.exec(text.toUpperCase());
  return modalityTerm(match?.[1] ?? match?.[2] ?? null);
}

/** Only a valid UID (PS3.5 section 9.1) can go into the images. */
function uidAt(message: Message, path: Hl7Path): string | null {
  const text = getValue(message, path)?.trim() ?? '';
  return text.length <= 64 && UID.test(text) ? text : null;
}

/** PID-5 (family, given, middle, suffix, prefix) as a DICOM person name, whose suffix comes last. */
function patientName(message: Message): string | null {
  const { familyName, givenName, middleName, namePrefix, nameSuffix } = PATHS;
  const parts = [familyName, givenName, middleName, namePrefix, nameSuffix].map((path) =>
    // Characters that divide a DICOM name may stand escaped within a part of an HL7 one.
    (valueAt(message, path, LONG_STRING) ?? '').replace(/[\\^=]/g, ' '),
  );
  const name = parts.join('^').slice(0, LONG_STRING).replace(/\^+$/, '');
  return name === '' ? null : name;
}

function birthDate(text: string | null): string | null {
  const date = text?.slice(0, 8) ?? '';
  return /^\d{8}$/.test(date) ? date : null;
}

function sex(text: string | null): 'F' | 'M' | 'O' | null {
  if (text === 'F' || text === 'M' || text === 'O') return text;
  // Ambiguous and not applicable (HL7 table 0001) are DICOM's other; unknown is absent.
  return text === 'A' || text === 'N' ? 'O' : null;
}
