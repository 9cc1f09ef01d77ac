import { faker } from '@faker-js/faker/locale/en';
import { createRng, type Rng } from '../lib/rng.ts';
import { placeOf, type RunIdentity, uniqueDigits } from './identity.ts';
import type { Patient } from './patient.ts';

/** Assigning authority of our own, PID-3.4 and Issuer of Patient ID (0010,0021): says that the numbers are synthetic. */
export const ASSIGNING_AUTHORITY = 'YEETER';

/** Begins every last name, so that nobody takes a synthetic patient for a real one. */
const DEFAULT_NAME_PREFIX = 'ZZTEST';

const DAY_MS = 86_400_000;

/** Ages are as of this day, so that a patient keeps the birth date whenever the run's clock starts. */
const AGE_REFERENCE_MS = Date.UTC(2024, 0, 1);

const CHILD_SHARE = 0.09;

const STREETS = [
  'HIGH STREET',
  'STATION ROAD',
  'MAIN STREET',
  'PARK ROAD',
  'CHURCH LANE',
  'VICTORIA ROAD',
  'GREEN LANE',
  'MANOR ROAD',
  'KINGS AVENUE',
  'QUEENS DRIVE',
  'MILL LANE',
  'SPRINGFIELD ROAD',
  'OAK STREET',
  'MAPLE AVENUE',
  'CEDAR COURT',
  'ELM GROVE',
  'RIVERSIDE',
  'HILL STREET',
  'MARKET PLACE',
  'CANAL STREET',
] as const;

/** Invented places in invented counties; no letter reaches anybody. */
const CITIES = [
  { city: 'ASHBOROUGH', state: 'NS' },
  { city: 'BRAMWICK', state: 'NS' },
  { city: 'CALDERFORD', state: 'NS' },
  { city: 'DUNMARSH', state: 'ES' },
  { city: 'EASTLEIGH VALE', state: 'ES' },
  { city: 'FENNYBRIDGE', state: 'ES' },
  { city: 'GORSEHILL', state: 'WS' },
  { city: 'HARTSMERE', state: 'WS' },
  { city: 'IRONBECK', state: 'WS' },
  { city: 'KESTERTON', state: 'SS' },
  { city: 'LANGMOOR', state: 'SS' },
  { city: 'MERIDEN CROSS', state: 'SS' },
] as const;

interface Names {
  female: readonly string[];
  male: readonly string[];
  last: readonly string[];
}

/** Upper case and free of anything that a receiver might fold: letters, hyphen and apostrophe only. */
function plainNames(lists: readonly (readonly string[] | null | undefined)[]): readonly string[] {
  const names = lists.flatMap((list) => list ?? []).map((name) => name.toUpperCase());
  return [...new Set(names)].filter((name) => /^[A-Z'-]+$/.test(name));
}

function readNames(): Names {
  const { first_name: first, last_name: last } = faker.rawDefinitions.person ?? {};
  return {
    female: plainNames([first?.female]),
    male: plainNames([first?.male]),
    last: plainNames([last?.generic]),
  };
}

const NAMES: Names = readNames();

/** Two digits. */
function pad2(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** `YYYYMMDD`, UTC. */
function dateOf(ms: number): string {
  const date = new Date(ms);
  return `${date.getUTCFullYear()}${pad2(date.getUTCMonth() + 1)}${pad2(date.getUTCDate())}`;
}

/** Radiology's patients are mostly old; some are children. Years. */
function drawAge(rng: Rng): number {
  if (rng.float() < CHILD_SHARE) return rng.float() * 18;
  return Math.min(99, Math.max(18, 57 + 18 * rng.normal()));
}

/** Number of the patient at `index` (from 0) of the run's population. */
export function mrnAt(identity: RunIdentity, index: number): string {
  return uniqueDigits(identity, 'mrn', index);
}

/**
 * The patient at `index` (from 0) of the run's population: pure, a few microseconds.
 * @param namePrefix begins the last name
 */
export function patientAt(
  identity: RunIdentity,
  index: number,
  namePrefix: string = DEFAULT_NAME_PREFIX,
): Patient {
  const rng = createRng('patient', identity.seed, placeOf(identity, index));
  const sex = rng.float() < 0.53 ? 'F' : 'M';
  const reference = Math.min(AGE_REFERENCE_MS, identity.clockStartMs);
  const bornMs = reference - DAY_MS - Math.floor(drawAge(rng) * 365.25) * DAY_MS;
  const place = rng.pick(CITIES);
  const last = rng.pick(NAMES.last);
  return {
    index,
    mrn: mrnAt(identity, index),
    lastName: namePrefix === '' ? last : `${namePrefix}-${last}`,
    firstName: rng.pick(sex === 'F' ? NAMES.female : NAMES.male),
    sex,
    birthDate: dateOf(bornMs),
    street: `${rng.int(1, 250)} ${rng.pick(STREETS)}`,
    city: place.city,
    state: place.state,
    postalCode: String(rng.int(0, 99_999)).padStart(5, '0'),
    // 555-01xx is kept free for fiction by the North American Numbering Plan.
    phone: `(${rng.int(200, 989)})555-01${pad2(rng.int(0, 99))}`,
  };
}

/** The name of a referring physician: one of a few dozen for each seed. `LAST^FIRST`. */
export function physicianAt(identity: RunIdentity, rng: Rng): string {
  const own = createRng('physician', identity.seed, rng.int(0, 39));
  return `${own.pick(NAMES.last)}^${own.pick(own.float() < 0.5 ? NAMES.female : NAMES.male)}`;
}

/** Age in whole years on the day the virtual clock starts. */
export function ageOf(patient: Patient, atMs: number): number {
  const born = Number(patient.birthDate);
  return Math.floor((Number(dateOf(atMs)) - born) / 10_000);
}

export interface Visit {
  /** Index of the patient in the population, from 0. */
  patientIndex: number;
  /** Iterations (from 1, ascending) in which the same patient came before, as far as this visit knows. */
  priorIterations: readonly number[];
}

/**
 * Who comes in an iteration (from 1): a new patient, or with probability `returningShare` one who came before.
 * Pure: a returning visit points at an earlier iteration, which may itself be one, down to a first visit.
 */
export function visitAt(identity: RunIdentity, iteration: number, returningShare: number): Visit {
  const priors: number[] = [];
  let index = iteration - 1;
  while (index > 0 && returningShare > 0) {
    const rng = createRng('visit', identity.seed, placeOf(identity, index));
    if (rng.float() >= returningShare) break;
    index = rng.int(0, index - 1);
    priors.push(index + 1);
  }
  return { patientIndex: index, priorIterations: priors.reverse() };
}
