import type { RequestedProcedure } from '../../domain/order.ts';
import { type Hl7Path, parsePath } from '../../hl7/path.ts';
import type { RenderContext } from './render-context.ts';
import { RUN_CONTEXT_CUES } from './run-context.ts';
import { hl7Timestamp } from './strftime.ts';

type TextCue = (context: RenderContext) => string;
/** Milliseconds since the epoch. */
type TimeCue = (context: RenderContext) => number;

/** The cues that name a fact of the patient, the order or the run. */
export interface NamedCues {
  text: ReadonlyMap<string, TextCue>;
  /** These may be followed by `.strftime('...')`. */
  times: ReadonlyMap<string, TimeCue>;
}

/**
 * @param accessionField where the step reads the accession number from, like `OBR.3`: `PACS.AccessionInOBR3` gives
 * the number when that is OBR-3 and nothing otherwise, so that one generator serves both habits.
 */
export function createNamedCues(accessionField: string): NamedCues {
  const field = parsePath(accessionField);
  return {
    text: new Map([
      ...PERSON_CUES,
      ...orderCues('Order', ORDER_CUES),
      ...orderCues('Context', CONTEXT_CUES),
      ['Context.MessageControlId', (context) => context.controlId],
      ['PACS.AccessionInOBR2', accessionWhen(isField(field, 'OBR', 2))],
      ['PACS.AccessionInOBR3', accessionWhen(isField(field, 'OBR', 3))],
      ...RUN_CONTEXT_CUES,
    ] satisfies [string, TextCue][]),
    times: TIME_CUES,
  };
}

/** A time cue without `.strftime()`: YYYYMMDDHHMMSS. */
export const DEFAULT_TIME_FORMAT = hl7Timestamp;

const firstProcedure = (context: RenderContext): RequestedProcedure => context.order.procedures[0];

const PERSON_CUES: readonly [string, TextCue][] = [
  ['Patient.MRN', ({ patient }) => patient.mrn],
  ['Person.LastName', ({ patient }) => patient.lastName.toUpperCase()],
  ['Person.FirstName', ({ patient }) => patient.firstName.toUpperCase()],
  ['Person.DOB', ({ patient }) => patient.birthDate],
  ['Person.Sex', ({ patient }) => patient.sex],
  ['Person.Street', ({ patient }) => patient.street],
  ['Person.City', ({ patient }) => patient.city],
  ['Person.State', ({ patient }) => patient.state],
  ['Person.PostalCode', ({ patient }) => patient.postalCode],
  ['Person.Phone', ({ patient }) => patient.phone],
];

/** The facts of an order that `Context` gives too. */
const CONTEXT_CUES: readonly [string, TextCue][] = [
  ['AccessionNumber', ({ order }) => order.accessionNumber],
  ['PlacerOrderNumber', ({ order }) => order.placerOrderNumber],
  ['StudyDescription', (context) => firstProcedure(context).procedure.description],
  ['Modality', (context) => firstProcedure(context).procedure.modality],
];

const ORDER_CUES: readonly [string, TextCue][] = [
  ...CONTEXT_CUES,
  ['FillerOrderNumber', ({ order }) => order.fillerOrderNumber],
  ['ProcedureCode', (context) => firstProcedure(context).procedure.code.value],
  ['ProcedureCodeScheme', (context) => firstProcedure(context).procedure.code.scheme],
  ['BodyPart', (context) => firstProcedure(context).procedure.bodyPart],
  ['RequestedProcedureId', (context) => firstProcedure(context).requestedProcedureId],
  ['ScheduledProcedureStepId', (context) => firstProcedure(context).scheduledProcedureStepId],
  ['StudyInstanceUid', (context) => firstProcedure(context).studyInstanceUid],
  ['StationAeTitle', ({ order }) => order.stationAeTitle],
  ['ReferringLastName', ({ order }) => order.referringPhysician.split('^')[0] ?? ''],
  ['ReferringFirstName', ({ order }) => order.referringPhysician.split('^')[1] ?? ''],
];

const TIME_CUES: ReadonlyMap<string, TimeCue> = new Map<string, TimeCue>([
  ['Context.MessageTimestamp', ({ nowMs }) => nowMs],
  ['Context.ScheduledStart', ({ order }) => order.scheduledStartMs],
  ['Context.ScheduledEnd', ({ order }) => order.scheduledEndMs],
  ['Context.RequestedAt', ({ order }) => order.requestedAtMs],
]);

function orderCues(group: string, cues: readonly [string, TextCue][]): [string, TextCue][] {
  return cues.map(([name, cue]) => [`${group}.${name}`, cue]);
}

function accessionWhen(here: boolean): TextCue {
  return here ? ({ order }) => order.accessionNumber : () => '';
}

function isField(path: Hl7Path, segment: string, field: number): boolean {
  return path.segment === segment && path.field === field;
}
