import { type Failure, failure, toYeeterError, YeeterError } from '../lib/errors.ts';
import type { Association } from './association.ts';
import { type DataSet, type Encoding, encodeDataSet } from './dataset.ts';
import { type DecodedDataSet, decodeDataSet, items, text } from './dataset-decoder.ts';
import type { Keyword } from './dictionary.ts';
import { COMMAND_FIELD } from './dimse.ts';
import type { Timing } from './dimse-service.ts';
import { describeStatus, STATUS } from './dimse-status.ts';
import type { PresentationContextRequest } from './scu.ts';
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  isValidUid,
  WORKLIST_SOP_CLASS,
} from './uids.ts';
import { textFault } from './vr.ts';

/** Modality Worklist as its SCU (PS3.4 Annex K): C-FIND by Accession Number. */

/** What one item says, trimmed and cut to what its attributes may hold; null where it is silent. */
export interface WorklistEntry {
  accessionNumber: string | null;
  studyInstanceUid: string | null;
  requestedProcedureId: string | null;
  /** Requested Procedure Description, else the meaning of its code, else the description of the scheduled step. */
  description: string | null;
  scheduledProcedureStepId: string | null;
  scheduledStationAeTitle: string | null;
  modality: string | null;
  placerOrderNumber: string | null;
  fillerOrderNumber: string | null;
  patientId: string | null;
  patientIssuer: string | null;
  patientName: string | null;
  /** `YYYYMMDD` */
  patientBirthDate: string | null;
  patientSex: 'F' | 'M' | 'O' | null;
}

export type WorklistResult =
  | ({
      ok: true;
      /** The items with that accession number, at most two: more than one is already too many to choose from. */
      entries: readonly WorklistEntry[];
    } & Timing)
  | (Failure & Partial<Timing>);

/** In contexts of their own, so that we know what was taken. */
export const WORKLIST_CONTEXTS: readonly PresentationContextRequest[] = [
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
].map((transferSyntax) => ({ abstractSyntax: WORKLIST_SOP_CLASS, transferSyntaxes: [transferSyntax] }));

const ENOUGH = 2;

const ANY_CODE: DataSet = { CodeValue: null, CodingSchemeDesignator: null, CodeMeaning: null };

/** The identifier of the request: one matching key, and what is wanted back (PS3.4 Table K.6-1). */
function query(accessionNumber: string): DataSet {
  return {
    ...(/[^ -~]/.test(accessionNumber) && { SpecificCharacterSet: 'ISO_IR 192' }),
    AccessionNumber: accessionNumber,
    ReferringPhysicianName: null,
    PatientName: null,
    PatientID: null,
    IssuerOfPatientID: null,
    PatientBirthDate: null,
    PatientSex: null,
    StudyInstanceUID: null,
    RequestedProcedureDescription: null,
    RequestedProcedureCodeSequence: [ANY_CODE],
    ScheduledProcedureStepSequence: [
      {
        Modality: null,
        ScheduledStationAETitle: null,
        ScheduledProcedureStepStartDate: null,
        ScheduledProcedureStepStartTime: null,
        ScheduledPerformingPhysicianName: null,
        ScheduledProcedureStepDescription: null,
        ScheduledProtocolCodeSequence: [ANY_CODE],
        ScheduledProcedureStepID: null,
        ScheduledStationName: null,
      },
    ],
    RequestedProcedureID: null,
    PlacerOrderNumberImagingServiceRequest: null,
    FillerOrderNumberImagingServiceRequest: null,
  };
}

/**
 * Asks for the items of one accession number. Items of others are passed over, since matching on it is optional for
 * the peer; the query is cancelled as soon as two have come.
 *
 * Failures: `DICOM_CONTEXT_REFUSED`; `DICOM_FIND_FAILED` for a failure status, retryable when it is A7xx;
 * `DICOM_DATASET` for an answer that cannot be read; what ends an association.
 */
export async function findWorklist(
  association: Association,
  accessionNumber: string,
): Promise<WorklistResult> {
  const explicit = association.isAccepted(WORKLIST_SOP_CLASS, EXPLICIT_VR_LITTLE_ENDIAN);
  const encoding: Encoding = explicit ? 'explicit' : 'implicit';
  const entries: WorklistEntry[] = [];
  let unreadable: Failure | null = null;
  const take = (dataSet: Buffer | null): void => {
    try {
      const entry = readEntry(decodeDataSet(dataSet ?? NO_BYTES, encoding));
      if (entry.accessionNumber === accessionNumber) entries.push(entry);
    } catch (thrown) {
      const { code, message } = toYeeterError(thrown);
      unreadable = failure(code, `${association.peer}: the worklist's answer cannot be used: ${message}`);
    }
  };
  const result = await association.request({
    sopClassUid: WORKLIST_SOP_CLASS,
    transferSyntaxUid: explicit ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN,
    command: { commandField: COMMAND_FIELD.cFindRq, affectedSopClassUid: WORKLIST_SOP_CLASS, priority: 0 },
    parts: [encodeDataSet(query(accessionNumber), encoding)],
    onPending: (_response, dataSet) => {
      if (entries.length < ENOUGH && unreadable === null) take(dataSet);
      return entries.length >= ENOUGH || unreadable !== null ? 'cancel' : undefined;
    },
  });
  if (!result.ok) return result;
  const { response, serviceUs, sendUs, waitUs } = result;
  const timing: Timing = { serviceUs, sendUs, waitUs };
  if (unreadable !== null) return { ...(unreadable as Failure), ...timing };
  const status = response.status!;
  if (status === STATUS.success || (status === STATUS.cancelled && entries.length >= ENOUGH))
    return { ok: true, entries, ...timing };
  const comment = response.errorComment ? `, "${response.errorComment}"` : '';
  const message = `${association.peer}: the worklist query was refused with ${describeStatus(status)}${comment}`;
  return { ...failure('DICOM_FIND_FAILED', message, status >> 8 === 0xa7), ...timing };
}

const NO_BYTES = Buffer.alloc(0);

/** @throws {YeeterError} DICOM_DATASET when the Study Instance UID is none */
function readEntry(item: DecodedDataSet): WorklistEntry {
  const step = items(item, 'ScheduledProcedureStepSequence')[0] ?? NO_ELEMENTS;
  const code = items(item, 'RequestedProcedureCodeSequence')[0] ?? NO_ELEMENTS;
  const studyInstanceUid = text(item, 'StudyInstanceUID') || null;
  if (studyInstanceUid !== null && !isValidUid(studyInstanceUid)) throw unusableUid(studyInstanceUid);
  const sex = text(item, 'PatientSex');
  const birthDate = text(item, 'PatientBirthDate') ?? '';
  return {
    accessionNumber: value(item, 'AccessionNumber', SHORT),
    studyInstanceUid,
    requestedProcedureId: value(item, 'RequestedProcedureID', SHORT),
    description:
      value(item, 'RequestedProcedureDescription', LONG) ??
      value(code, 'CodeMeaning', LONG) ??
      value(step, 'ScheduledProcedureStepDescription', LONG),
    scheduledProcedureStepId: value(step, 'ScheduledProcedureStepID', SHORT),
    scheduledStationAeTitle: value(step, 'ScheduledStationAETitle', SHORT),
    modality: value(step, 'Modality', SHORT),
    placerOrderNumber: value(item, 'PlacerOrderNumberImagingServiceRequest', LONG),
    fillerOrderNumber: value(item, 'FillerOrderNumberImagingServiceRequest', LONG),
    patientId: value(item, 'PatientID', LONG),
    patientIssuer: value(item, 'IssuerOfPatientID', LONG),
    patientName: personName(item),
    patientBirthDate: birthDate !== '' && textFault('DA', birthDate) === null ? birthDate : null,
    patientSex: sex === 'F' || sex === 'M' || sex === 'O' ? sex : null,
  };
}

const NO_ELEMENTS: DecodedDataSet = { elements: new Map(), charset: 'utf-8' };

/** Longest values of SH and AE, and of LO and of a group of PN (PS3.5 section 6.2). */
const SHORT = 16;
const LONG = 64;

function unusableUid(uid: string): YeeterError {
  return new YeeterError('DICOM_DATASET', `(0020,000D) StudyInstanceUID is "${uid.slice(0, 80)}", no UID`);
}

function cut(raw: string, max: number): string {
  return [...raw].slice(0, max).join('').trim();
}

/** What worklists hold beyond their VR must not end up in images. */
function value(set: DecodedDataSet, keyword: Keyword, max: number): string | null {
  const raw =
    text(set, keyword)
      ?.replaceAll(/\p{Cc}/gu, ' ')
      .trim() ?? '';
  return cut(raw, max) || null;
}

/** At most three groups of five components. */
function personName(set: DecodedDataSet): string | null {
  const raw = text(set, 'PatientName')?.replaceAll(/\p{Cc}/gu, ' ') ?? '';
  const groups = raw.split('=').slice(0, 3);
  const name = groups.map((group) => cut(group.split('^').slice(0, 5).join('^'), LONG)).join('=');
  return name.replace(/[=^]+$/, '') || null;
}
