import type { DataSet } from '../dataset.ts';
import type { CodeInput, StudyInput } from '../study.ts';
import { MPPS_SOP_CLASS, sopInstanceUid } from '../uids.ts';
import type { ImageContext, SeriesContext } from './context.ts';
import { dicomDate, dicomTime, patientAge } from './time.ts';

/** Modules that every object has (PS3.3 annex C.7, C.12). */

export function code(value: string, scheme: string, meaning: string): DataSet {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning };
}

function codeOf(input: CodeInput): DataSet {
  return code(input.value, input.scheme, input.meaning);
}

/** The code of the requested procedure, when it is known. */
export function codesOf({ procedureCode }: StudyInput): DataSet[] {
  return procedureCode ? [codeOf(procedureCode)] : [];
}

/** Patient, General Study, Patient Study, General Series, General Equipment, SOP Common: the same in a series. */
export function commonModules(context: SeriesContext, sopClassUid: string): DataSet {
  const { study, series, startMs } = context;
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    TimezoneOffsetFromUTC: '+0000',
    SOPClassUID: sopClassUid,
    PatientName: study.patient.name,
    PatientID: study.patient.id,
    IssuerOfPatientID: study.patient.issuer,
    PatientBirthDate: study.patient.birthDate,
    PatientSex: study.patient.sex,
    ...definedOnly({ PatientAge: patientAge(study.patient.birthDate, study.startMs) }),
    PatientSize: patientSizeMetres(context),
    PatientWeight: patientWeightKg(context),
    StudyInstanceUID: study.studyInstanceUid,
    StudyID: study.studyId,
    StudyDate: dicomDate(study.startMs),
    StudyTime: dicomTime(study.startMs),
    AccessionNumber: study.accessionNumber,
    StudyDescription: study.description,
    ReferringPhysicianName: study.referringPhysician,
    ...(study.procedureCode && { ProcedureCodeSequence: [codeOf(study.procedureCode)] }),
    Modality: series.modality,
    SeriesInstanceUID: series.seriesInstanceUid,
    SeriesNumber: series.seriesNumber,
    SeriesDescription: series.description,
    SeriesDate: dicomDate(startMs),
    SeriesTime: dicomTime(startMs),
    Manufacturer: study.station.manufacturer,
    ManufacturerModelName: study.station.model,
    StationName: study.station.name,
    InstitutionName: study.institution,
    DeviceSerialNumber: study.station.aeTitle,
    SoftwareVersions: 'YEETER TEST DATA',
    ...performedStepReference(context),
  };
}

/** The elements of SOP Common and of the images or reports that differ from instance to instance. */
export function commonOwn(
  context: SeriesContext,
  instanceNumber: number,
): { SOPInstanceUID: string; ContentTime: string } & DataSet {
  const { study, series } = context;
  const ms = acquiredMs(context, instanceNumber);
  const date = dicomDate(ms);
  const time = dicomTime(ms);
  return {
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    SOPInstanceUID: sopInstanceUid(series.seriesInstanceUid, instanceNumber, study.uidRoot ?? null),
    ContentDate: date,
    ContentTime: time,
    InstanceNumber: instanceNumber,
  };
}

/** General Series and General Image of image objects: the same in a series. */
export function imageModules(context: ImageContext, sopClassUid: string): DataSet {
  const { study, series, format, startMs } = context;
  return {
    ...commonModules(context, sopClassUid),
    PerformedProcedureStepStartDate: dicomDate(study.startMs),
    PerformedProcedureStepStartTime: dicomTime(study.startMs),
    ...(study.scheduledProcedureStepId && { PerformedProcedureStepID: study.scheduledProcedureStepId }),
    PerformedProcedureStepDescription: study.description,
    ...requestAttributes(context),
    BodyPartExamined: study.bodyPart,
    ProtocolName: series.description,
    AcquisitionDate: dicomDate(startMs),
    BurnedInAnnotation: context.burnedIn ? 'YES' : 'NO',
    LossyImageCompression: '00',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: format.rows,
    Columns: format.columns,
    BitsAllocated: format.bitsAllocated,
    BitsStored: format.bitsStored,
    HighBit: format.bitsStored - 1,
    PixelRepresentation: 0,
  };
}

export function imageOwn(
  context: ImageContext,
  instanceNumber: number,
): DataSet & { SOPInstanceUID: string } {
  const own = commonOwn(context, instanceNumber);
  return { ...own, AcquisitionTime: own.ContentTime };
}

/** Laterality of General Series; Image Laterality where the series shows both sides, which the former cannot say. */
export function seriesLaterality(context: ImageContext): DataSet {
  const { laterality } = context;
  if (laterality === null) return {};
  return laterality === 'L' || laterality === 'R'
    ? { Laterality: laterality }
    : { ImageLaterality: laterality };
}

const INSTANCE_INTERVAL_MS = 250;

/** When an instance of a series was made. */
export function acquiredMs(context: SeriesContext, instanceNumber: number): number {
  return context.startMs + instanceNumber * INSTANCE_INTERVAL_MS;
}

/** Request Attributes (PS3.3 table 10-9), when an order's ids are known. */
function requestAttributes({ study }: SeriesContext): DataSet {
  if (study.requestedProcedureId === null && study.scheduledProcedureStepId === null) return {};
  return {
    RequestAttributesSequence: [
      {
        AccessionNumber: study.accessionNumber,
        StudyInstanceUID: study.studyInstanceUid,
        RequestedProcedureDescription: study.description,
        ...definedOnly({
          RequestedProcedureID: study.requestedProcedureId,
          ScheduledProcedureStepID: study.scheduledProcedureStepId,
        }),
        ...(study.procedureCode && { RequestedProcedureCodeSequence: [codeOf(study.procedureCode)] }),
        ScheduledProcedureStepDescription: study.description,
      },
    ],
  };
}

function performedStepReference({ study }: SeriesContext): DataSet {
  if (study.mppsInstanceUid === null) return {};
  return {
    ReferencedPerformedProcedureStepSequence: [
      { ReferencedSOPClassUID: MPPS_SOP_CLASS, ReferencedSOPInstanceUID: study.mppsInstanceUid },
    ],
  };
}

/** The request that a report answers (PS3.3 section C.17.2, Referenced Request Sequence). */
export function referencedRequest({ study }: SeriesContext): DataSet {
  return {
    ReferencedRequestSequence: [
      {
        StudyInstanceUID: study.studyInstanceUid,
        ReferencedStudySequence: [],
        AccessionNumber: study.accessionNumber,
        PlacerOrderNumberImagingServiceRequest: study.placerOrderNumber,
        FillerOrderNumberImagingServiceRequest: study.fillerOrderNumber,
        RequestedProcedureID: study.requestedProcedureId,
        RequestedProcedureDescription: study.description,
        RequestedProcedureCodeSequence: codesOf(study),
      },
    ],
    PerformedProcedureCodeSequence: codesOf(study),
  };
}

/** Body measures follow from the study alone, so that all its series agree. */
function patientWeightKg({ study }: SeriesContext): number {
  return 55 + (study.contentSeed % 41);
}

function patientSizeMetres({ study }: SeriesContext): number {
  return (155 + (study.contentSeed % 37)) / 100;
}

/** Leaves out what is null: for elements that may only be present with a value (types 1C and 3). */
function definedOnly(set: DataSet): DataSet {
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== null));
}
