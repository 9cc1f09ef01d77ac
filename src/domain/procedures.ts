import type { Rng } from '../lib/rng.ts';
import { MODALITIES, type Modality } from './modality.ts';
import type { Procedure } from './order.ts';
import { CATALOGUE, type CatalogueLine } from './procedure-catalogue.ts';

export type CaseMix = Readonly<Partial<Record<Modality, number>>>;

/** Relative frequencies of modalities where a template gives none. */
export const DEFAULT_CASE_MIX: CaseMix = { DX: 35, CT: 25, MR: 20, US: 10, CR: 5, NM: 3, MG: 2 };

/** Whom a procedure is drawn for. */
export interface Subject {
  sex: 'F' | 'M' | 'O';
  ageYears: number;
}

/** Who may come for a mammogram, and about how large a part of the population they are (see `population.ts`). */
const MG_MIN_AGE = 40;
const MG_SHARE = 0.4;

/**
 * The case mix for one subject: mammograms go to women over 40 only, and to so many of them that the mix over all
 * patients stays as it was asked. A mix of (almost) nothing else gives them to everybody.
 */
function mixFor(mix: CaseMix, subject: Subject | null): readonly number[] {
  const weights = MODALITIES.map((modality) => mix[modality] ?? 0);
  const total = weights.reduce((a, b) => a + b, 0);
  const mg = MODALITIES.indexOf('MG');
  const share = weights[mg]! / total;
  if (subject === null || share === 0 || share > MG_SHARE) return weights;
  if (subject.sex === 'F' && subject.ageYears >= MG_MIN_AGE) {
    const own = share / MG_SHARE;
    weights[mg] = ((total - weights[mg]!) * own) / Math.max(1 - own, 1e-9);
  } else {
    weights[mg] = 0;
  }
  return weights;
}

function fits(line: CatalogueLine, subject: Subject): boolean {
  return (
    (line.sex === null || line.sex === subject.sex) &&
    subject.ageYears >= line.minAge &&
    subject.ageYears <= line.maxAge
  );
}

function plain(line: CatalogueLine): Procedure {
  const { code, description, modality, bodyPart, laterality } = line;
  return { code, description, modality, bodyPart, laterality };
}

/** A procedure of one modality, plausible for the subject where the catalogue has one. */
export function drawProcedureOf(rng: Rng, modality: Modality, subject: Subject | null = null): Procedure {
  const lines = CATALOGUE[modality];
  const isFor = (line: CatalogueLine): boolean => subject === null || fits(line, subject);
  const anyFits = lines.some(isFor);
  return plain(rng.weighted(lines, (line) => (!anyFits || isFor(line) ? line.weight : 0)));
}

/** A procedure drawn by the frequency of modalities, then of procedures within the modality. */
export function drawProcedure(rng: Rng, caseMix: CaseMix, subject: Subject | null = null): Procedure {
  const mix = mixFor(caseMix, subject);
  const modality = rng.weighted(MODALITIES, (_, at) => mix[at]!);
  return drawProcedureOf(rng, modality, subject);
}

/** What a modality shows when nothing more is known: the first line of its catalogue. */
export function usualProcedure(modality: Modality): Procedure {
  return plain(CATALOGUE[modality][0]!);
}
