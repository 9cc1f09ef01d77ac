import { createRng, type Rng } from '../lib/rng.ts';
import { deriveUid } from '../lib/uid.ts';
import { placeOf, type RunIdentity, uniqueDigits } from './identity.ts';
import type { Modality } from './modality.ts';
import type { Order, RequestedProcedure } from './order.ts';
import type { Patient } from './patient.ts';
import { ageOf, physicianAt } from './population.ts';
import { type CaseMix, drawProcedure, drawProcedureOf, type Subject } from './procedures.ts';
import { stationsOf } from './stations.ts';
import type { Template } from './template.ts';

/** What of a template decides its orders. */
export type OrderSource = Pick<Template, 'caseMix' | 'stations' | 'steps' | 'proceduresPerOrder'>;

/** Virtual time from one order to the next. */
const ORDER_STEP_MS = 1000;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Studies are scheduled from 07:00 to 19:00 UTC, on every day of the week, on whole five minutes. */
const OPENS_MS = 7 * HOUR_MS;
const CLOSES_MS = 19 * HOUR_MS;
const SLOT_MS = 5 * MINUTE_MS;

/** Time in the room, minutes. */
const DURATION_MIN: Readonly<Record<Modality, number>> = {
  CT: 15,
  MR: 30,
  DX: 10,
  CR: 10,
  US: 20,
  MG: 15,
  RF: 25,
  NM: 45,
  PT: 60,
};

/** Ten minutes to four hours after the request, moved into working hours. */
function scheduleAfter(rng: Rng, requestedAtMs: number): number {
  const wanted = requestedAtMs + rng.int(2, 48) * SLOT_MS;
  const rounded = Math.ceil(wanted / SLOT_MS) * SLOT_MS;
  const day = Math.floor(rounded / DAY_MS) * DAY_MS;
  const slot = rng.int(0, (CLOSES_MS - OPENS_MS) / SLOT_MS - 1) * SLOT_MS;
  const timeOfDay = rounded - day;
  if (timeOfDay >= OPENS_MS && timeOfDay < CLOSES_MS) return rounded;
  return (timeOfDay < OPENS_MS ? day : day + DAY_MS) + OPENS_MS + slot;
}

/** The one modality that the template's studies are made for, when its steps name one: then orders ask for it too. */
function namedModality(steps: OrderSource['steps']): Modality | null {
  let named: Modality | null = null;
  for (const step of steps) {
    if (step.stepType !== 'GENERATE_DICOM' || step.parameters.modality === null) continue;
    if (named !== null && named !== step.parameters.modality) return null;
    named = step.parameters.modality;
  }
  return named;
}

function caseMixOf(source: OrderSource): CaseMix {
  const named = namedModality(source.steps);
  return named === null ? source.caseMix : { [named]: 1 };
}

/** Accession number of the order of an iteration (from 1). */
export function accessionNumberAt(identity: RunIdentity, iteration: number): string {
  return `ACC${uniqueDigits(identity, 'accession', iteration - 1)}`;
}

/**
 * The order of an iteration (from 1): a pure function of the run's identity, the iteration, the patient and what the
 * template says about orders. Further procedures of one order are of the first one's modality.
 */
export function orderAt(
  identity: RunIdentity,
  iteration: number,
  patient: Patient,
  source: OrderSource,
): Order {
  const index = iteration - 1;
  const rng = createRng('order', identity.seed, placeOf(identity, index));
  const requestedAtMs = identity.clockStartMs + index * ORDER_STEP_MS;
  const subject: Subject = { sex: patient.sex, ageYears: ageOf(patient, requestedAtMs) };
  const digits = uniqueDigits(identity, 'procedure', index);
  const requested = (procedure: RequestedProcedure['procedure'], n: number): RequestedProcedure => ({
    procedure,
    requestedProcedureId: `RP${digits}${n === 0 ? '' : `-${n + 1}`}`,
    scheduledProcedureStepId: `SPS${digits}${n === 0 ? '' : `-${n + 1}`}`,
    studyInstanceUid: deriveUid(identity.uidRoot, 'study', identity.seed, placeOf(identity, index), n),
  });

  const first = drawProcedure(rng, caseMixOf(source), subject);
  const procedures: [RequestedProcedure, ...RequestedProcedure[]] = [requested(first, 0)];
  for (let n = 1; n < (source.proceduresPerOrder ?? 1); n++)
    procedures.push(requested(drawProcedureOf(rng, first.modality, subject), n));

  const scheduledStartMs = scheduleAfter(rng, requestedAtMs);
  return {
    accessionNumber: accessionNumberAt(identity, iteration),
    placerOrderNumber: `PLR${uniqueDigits(identity, 'placer', index)}`,
    fillerOrderNumber: `FIL${uniqueDigits(identity, 'filler', index)}`,
    procedures,
    requestedAtMs,
    scheduledStartMs,
    scheduledEndMs: scheduledStartMs + procedures.length * DURATION_MIN[first.modality] * MINUTE_MS,
    referringPhysician: physicianAt(identity, rng),
    stationAeTitle: rng.pick(stationsOf(first.modality, source.stations)).aeTitle,
  };
}
