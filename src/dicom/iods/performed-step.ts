import type { DataSet } from '../dataset.ts';
import { isImageModality, type SeriesInput, type StudyInput } from '../study.ts';
import { SOP_CLASS, sopInstanceUid } from '../uids.ts';
import { acquiredMs, code, codesOf } from './common.ts';
import { seriesContext } from './context.ts';
import { dicomDate, dicomTime } from './time.ts';

/** What a modality reports of a study while and after it makes it (PS3.4 Table F.7.2-1, PS3.3 section B.17). */

/** DCM 110513, of CID 9300: why a step was discontinued. */
const UNSPECIFIED_REASON = code('110513', 'DCM', 'Discontinued for unspecified reason');

/** From the last image to the end of the step. */
const ENDING_MS = 60_000;

/** The attributes of N-CREATE: the step has begun, no series is there yet. */
export function performedStepBegun(study: StudyInput): DataSet {
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    Modality: study.modality,
    ProcedureCodeSequence: codesOf(study),
    ReferencedPatientSequence: [],
    PatientName: study.patient.name,
    PatientID: study.patient.id,
    IssuerOfPatientID: study.patient.issuer,
    PatientBirthDate: study.patient.birthDate,
    PatientSex: study.patient.sex,
    StudyID: study.studyId,
    PerformedStationAETitle: study.station.aeTitle,
    PerformedStationName: study.station.name,
    PerformedLocation: null,
    PerformedProcedureStepStartDate: dicomDate(study.startMs),
    PerformedProcedureStepStartTime: dicomTime(study.startMs),
    PerformedProcedureStepEndDate: null,
    PerformedProcedureStepEndTime: null,
    PerformedProcedureStepStatus: 'IN PROGRESS',
    // As the images have it.
    PerformedProcedureStepID: study.scheduledProcedureStepId ?? study.studyId,
    PerformedProcedureStepDescription: study.description,
    PerformedProcedureTypeDescription: null,
    PerformedProtocolCodeSequence: [],
    ScheduledStepAttributesSequence: [
      {
        AccessionNumber: study.accessionNumber,
        ReferencedStudySequence: [],
        StudyInstanceUID: study.studyInstanceUid,
        RequestedProcedureDescription: study.description,
        ScheduledProcedureStepDescription: study.description,
        ScheduledProtocolCodeSequence: [],
        ScheduledProcedureStepID: study.scheduledProcedureStepId,
        RequestedProcedureID: study.requestedProcedureId,
        PlacerOrderNumberImagingServiceRequest: study.placerOrderNumber,
        FillerOrderNumberImagingServiceRequest: study.fillerOrderNumber,
      },
    ],
    PerformedSeriesSequence: [],
  };
}

/** The modifications of the final N-SET: when it ended and what was made, series by series and image by image. */
export function performedStepEnded(study: StudyInput, status: 'COMPLETED' | 'DISCONTINUED'): DataSet {
  const endMs = Math.max(study.startMs, ...study.series.map((series) => lastImageMs(study, series)));
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    PerformedProcedureStepEndDate: dicomDate(endMs + ENDING_MS),
    PerformedProcedureStepEndTime: dicomTime(endMs + ENDING_MS),
    PerformedProcedureStepStatus: status,
    ...(status === 'DISCONTINUED' && {
      PerformedProcedureStepDiscontinuationReasonCodeSequence: [UNSPECIFIED_REASON],
    }),
    PerformedSeriesSequence: study.series.map((series) => performedSeries(study, series)),
  };
}

function lastImageMs(study: StudyInput, series: SeriesInput): number {
  return acquiredMs(seriesContext(study, series), series.instanceCount);
}

function performedSeries(study: StudyInput, series: SeriesInput): DataSet {
  const sopClassUid = sopClassOf(series);
  const instances = Array.from({ length: series.instanceCount }, (_, i) => ({
    ReferencedSOPClassUID: sopClassUid,
    ReferencedSOPInstanceUID: sopInstanceUid(series.seriesInstanceUid, i + 1, study.uidRoot ?? null),
  }));
  const isImages = isImageModality(series.modality);
  return {
    RetrieveAETitle: null,
    SeriesDescription: series.description,
    PerformingPhysicianName: null,
    OperatorsName: null,
    ReferencedImageSequence: isImages ? instances : [],
    ProtocolName: series.description,
    SeriesInstanceUID: series.seriesInstanceUid,
    ReferencedNonImageCompositeSOPInstanceSequence: isImages ? [] : instances,
  };
}

/** The storage SOP class of a series' objects. */
export function sopClassOf({ kind, modality }: Pick<SeriesInput, 'kind' | 'modality'>): string {
  if (kind === 'report') return SOP_CLASS.basicTextSr;
  if (kind === 'dose-sr') return SOP_CLASS.radiationDoseSr;
  return SOP_CLASS[modality as keyof typeof SOP_CLASS];
}
