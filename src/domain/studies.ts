import { createRng, hash32 } from '../lib/rng.ts';
import { deriveUid } from '../lib/uid.ts';
import { placeOf, type RunIdentity } from './identity.ts';
import { inferModality } from './infer-modality.ts';
import { procedureFor } from './match-procedure.ts';
import type { Modality } from './modality.ts';
import type { Order, OrderContext, Procedure, RequestedProcedure } from './order.ts';
import type { Patient } from './patient.ts';
import { ASSIGNING_AUTHORITY } from './population.ts';
import { usualProcedure } from './procedures.ts';
import { countedSeries, type PlannedSeries, typicalSeries } from './series-protocol.ts';
import type { Station } from './station.ts';
import { INSTITUTION, stationFor } from './stations.ts';
import type { SeriesSpec, StudySpec } from './study-spec.ts';
import type { GenerateDicomParameters } from './template.ts';

export interface StudyPlanInput {
  identity: RunIdentity;
  /** From 1. */
  iteration: number;
  patient: Patient;
  order: Order;
  /** What the order message (or the worklist, which wins over it) says; null when there was none. */
  context: OrderContext | null;
  parameters: GenerateDicomParameters;
  stations: readonly Station[];
  /** The performed procedure step that was reported for the first study. @default null */
  mppsInstanceUid?: string | null;
  /** Which GENERATE_DICOM step this is, and which repetition of it (from 0): each makes series of its own. */
  occurrence?: { stepOrder: number; repetition: number };
}

/** Time from the scheduled start to the first image, at most. */
const MAX_DELAY_S = 600;

/** Series numbers of a repetition begin above those of the one before. */
const SERIES_PER_REPETITION = 100;

interface Subject {
  requested: RequestedProcedure;
  /** Position within the order, from 0; the context describes the first. */
  n: number;
  context: OrderContext | null;
}

/** Parameter, then message, then what its description names, then what was drawn. */
function modalityOf(input: StudyPlanInput, { requested, context }: Subject): Modality {
  const description = input.parameters.studyDescription ?? context?.studyDescription ?? null;
  return (
    input.parameters.modality ??
    context?.modality ??
    (description === null ? null : inferModality(description)) ??
    requested.procedure.modality
  );
}

interface Meaning {
  modality: Modality;
  description: string;
  procedure: Procedure;
  /** False when the catalogue has no line for what was ordered: then no code is claimed. */
  known: boolean;
}

function meaningOf(input: StudyPlanInput, subject: Subject): Meaning {
  const modality = modalityOf(input, subject);
  const drawn = subject.requested.procedure;
  const told = input.parameters.studyDescription ?? subject.context?.studyDescription ?? null;
  if (told === null || told === drawn.description) {
    if (drawn.modality === modality)
      return { modality, description: drawn.description, procedure: drawn, known: true };
    const procedure = usualProcedure(modality);
    return { modality, description: told ?? procedure.description, procedure, known: told === null };
  }
  const match = procedureFor({ description: told, modality });
  return { modality, description: told, procedure: match ?? usualProcedure(modality), known: match !== null };
}

function seriesOf(
  input: StudyPlanInput,
  meaning: Meaning,
  studyInstanceUid: string,
  n: number,
): SeriesSpec[] {
  const { identity, iteration, parameters } = input;
  const { stepOrder, repetition } = input.occurrence ?? { stepOrder: 0, repetition: 0 };
  const rng = createRng('series', identity.seed, placeOf(identity, iteration - 1), n, stepOrder, repetition);
  const planned: PlannedSeries[] =
    parameters.count === 'typical'
      ? typicalSeries(rng, meaning.modality, meaning.procedure)
      : countedSeries(meaning.modality, meaning.procedure, parameters.count);
  if (parameters.generateReport)
    planned.push({
      kind: 'report',
      description: 'Report',
      instanceCount: 1,
      viewPosition: null,
      laterality: null,
    });
  return planned.map((one, i) => ({
    ...one,
    modality: one.kind === 'report' || one.kind === 'dose-sr' ? 'SR' : meaning.modality,
    seriesInstanceUid: deriveUid(identity.uidRoot, 'series', studyInstanceUid, stepOrder, repetition, i),
    seriesNumber: repetition * SERIES_PER_REPETITION + i + 1,
  }));
}

function patientOf(patient: Patient, context: OrderContext | null): StudySpec['patient'] {
  return {
    id: context?.patientId ?? patient.mrn,
    issuer: context?.patientIssuer ?? ASSIGNING_AUTHORITY,
    name: context?.patientName ?? `${patient.lastName}^${patient.firstName}`,
    birthDate: context?.patientBirthDate ?? patient.birthDate,
    sex: context?.patientSex ?? patient.sex,
  };
}

/** Short String (SH) fields hold 16 characters (PS3.5 table 6.2-1). */
function shortString(text: string): string {
  return text.slice(0, 16);
}

function planStudy(input: StudyPlanInput, subject: Subject): StudySpec {
  const { identity, iteration, order, parameters } = input;
  const { requested, context, n } = subject;
  const meaning = meaningOf(input, subject);
  const place = placeOf(identity, iteration - 1);
  const rng = createRng('study', identity.seed, place, n);
  const studyInstanceUid = context?.studyInstanceUid ?? requested.studyInstanceUid;
  const aeTitle = context?.stationAeTitle ?? order.stationAeTitle;
  const { name, manufacturer, model, aeTitle: own } = stationFor(meaning.modality, aeTitle, input.stations);
  return {
    // All studies of an order are of the patient that its message names.
    patient: patientOf(input.patient, input.context),
    studyInstanceUid,
    studyId: shortString(requested.requestedProcedureId),
    accessionNumber: shortString(input.context?.accessionNumber ?? order.accessionNumber),
    description: meaning.description.slice(0, 64),
    startMs: order.scheduledStartMs + n * MAX_DELAY_S * 1000 + rng.int(0, MAX_DELAY_S - 1) * 1000,
    modality: meaning.modality,
    bodyPart: meaning.procedure.bodyPart,
    procedureCode: meaning.known ? meaning.procedure.code : null,
    requestedProcedureId: shortString(context?.requestedProcedureId ?? requested.requestedProcedureId),
    scheduledProcedureStepId: shortString(
      context?.scheduledProcedureStepId ?? requested.scheduledProcedureStepId,
    ),
    placerOrderNumber: input.context?.placerOrderNumber ?? order.placerOrderNumber,
    fillerOrderNumber: input.context?.fillerOrderNumber ?? order.fillerOrderNumber,
    referringPhysician: order.referringPhysician,
    mppsInstanceUid: n === 0 ? (input.mppsInstanceUid ?? null) : null,
    institution: INSTITUTION,
    station: { aeTitle: own, name, manufacturer, model },
    burnPatientInfo: parameters.burnPatientInfo,
    pixels: parameters.generatePixels ? 'modality' : 'minimal',
    contentSeed: hash32(0, 'content', identity.seed, place, n),
    uidRoot: identity.uidRoot,
    series: seriesOf(input, meaning, studyInstanceUid, n),
  };
}

/**
 * The studies of an iteration, one for each requested procedure: a pure function of its input. What the message says
 * about identity wins over what was drawn; it describes the first procedure, and the patient of all.
 */
export function planStudies(input: StudyPlanInput): StudySpec[] {
  return input.order.procedures.map((requested, n) =>
    planStudy(input, { requested, n, context: n === 0 ? input.context : null }),
  );
}
