import type { Rng } from '../lib/rng.ts';
import type { Modality } from './modality.ts';
import type { Procedure } from './order.ts';
import type { SeriesKind } from './study-spec.ts';

/** A series of a study before it has a UID. */
export interface PlannedSeries {
  kind: SeriesKind;
  description: string;
  instanceCount: number;
  viewPosition: string | null;
  laterality: 'L' | 'R' | null;
}

/** Log-normal with a median, so that a few studies are much larger than most; sigma of the logarithm. */
interface LongTail {
  median: number;
  sigma: number;
  max: number;
}

function drawCount(rng: Rng, tail: LongTail): number {
  const drawn = Math.round(tail.median * Math.exp(tail.sigma * rng.normal()));
  return Math.min(tail.max, Math.max(1, drawn));
}

function series(description: string, instanceCount: number, kind: SeriesKind = 'images'): PlannedSeries {
  return { kind, description, instanceCount, viewPosition: null, laterality: null };
}

/** Axial slices of a CT by the part of the body it covers. */
const CT_MEDIAN: Readonly<Record<string, number>> = {
  HEAD: 36,
  CHEST: 120,
  ABDOMENPELVIS: 140,
  CHESTABDPELVIS: 220,
  CSPINE: 90,
  LSPINE: 90,
};

function ct(rng: Rng, procedure: Procedure): PlannedSeries[] {
  const median = CT_MEDIAN[procedure.bodyPart] ?? 80;
  const planned = [
    series('Localizer', rng.int(1, 2), 'localizer'),
    series('Axial', drawCount(rng, { median, sigma: 0.5, max: 1500 })),
  ];
  if (rng.float() < 0.6)
    planned.push(
      series('Coronal MPR', drawCount(rng, { median: median * 0.4, sigma: 0.4, max: 600 }), 'reconstruction'),
    );
  planned.push(series('Dose Report', 1, 'dose-sr'));
  return planned;
}

const MR_SEQUENCES = ['T1 SE', 'T2 TSE', 'FLAIR', 'DWI', 'T2 Sagittal', 'T1 Post', 'PD FS'] as const;

function mr(rng: Rng): PlannedSeries[] {
  const sequences = MR_SEQUENCES.slice(0, rng.int(3, MR_SEQUENCES.length));
  return [
    series('Localizer', rng.int(3, 9), 'localizer'),
    ...sequences.map((name) => series(name, drawCount(rng, { median: 24, sigma: 0.4, max: 256 }))),
  ];
}

/** Views of plain radiographs in the order they are taken; lateral ones are left laterals on the trunk. */
const TRUNK = new Set(['CHEST', 'ABDOMEN', 'PELVIS', 'CSPINE', 'TSPINE', 'LSPINE', 'SKULL', 'RIB']);

function radiographViews(procedure: Procedure): readonly string[] {
  if (procedure.bodyPart === 'CHEST' && !/\bAP\b/.test(procedure.description)) return ['PA', 'LL'];
  const lateral = procedure.laterality === 'R' ? 'RL' : 'LL';
  return TRUNK.has(procedure.bodyPart) ? ['AP', 'LL', 'LLO'] : ['AP', lateral, 'LLO'];
}

/** As many views as the description asks for, one series each, now and then one repeated. */
function radiograph(rng: Rng, procedure: Procedure): PlannedSeries[] {
  const asked = /\b([1-3]) views?\b/i.exec(procedure.description)?.[1];
  const views = radiographViews(procedure).slice(0, asked === undefined ? 1 : Number(asked));
  return views.map((view) => ({
    ...series(view, rng.float() < 0.08 ? 2 : 1),
    viewPosition: view,
    laterality: procedure.laterality,
  }));
}

/** Screening order of a mammogram: both breasts, cranio-caudal, then medio-lateral oblique. */
const MG_VIEWS = [
  ['R', 'CC'],
  ['L', 'CC'],
  ['R', 'MLO'],
  ['L', 'MLO'],
] as const;

/** `count` mammograms over the four views in turn (those of one side when the order names it). */
function mammograms(procedure: Procedure, count: number): PlannedSeries[] {
  const views = MG_VIEWS.filter(([side]) => procedure.laterality === null || side === procedure.laterality);
  const used = views.slice(0, Math.min(count, views.length));
  return used.map(([side, view], i) => ({
    ...series(`${side} ${view}`, Math.floor((count - i - 1) / views.length) + 1),
    viewPosition: view,
    laterality: side,
  }));
}

/**
 * The series that a department's protocol makes of a procedure: localisers, main series, reconstructions and dose
 * report, with long-tailed image counts. Medians are those of everyday practice, rounded.
 */
export function typicalSeries(rng: Rng, modality: Modality, procedure: Procedure): PlannedSeries[] {
  switch (modality) {
    case 'CT':
      return ct(rng, procedure);
    case 'MR':
      return mr(rng);
    case 'DX':
    case 'CR':
      return radiograph(rng, procedure);
    case 'MG':
      return mammograms(procedure, procedure.laterality === null ? 4 : 2);
    case 'US':
      return [series('Scan', drawCount(rng, { median: 20, sigma: 0.6, max: 150 }))];
    case 'RF':
      return [series('Fluoroscopy', drawCount(rng, { median: 10, sigma: 0.6, max: 80 }))];
    case 'NM':
      return [series('Static', drawCount(rng, { median: 4, sigma: 0.5, max: 24 }))];
    case 'PT':
      return [series('Attenuation corrected', drawCount(rng, { median: 230, sigma: 0.3, max: 900 }))];
    default:
      return modality satisfies never;
  }
}

/** Exactly `count` images: one series, or one for each view of a mammogram. */
export function countedSeries(modality: Modality, procedure: Procedure, count: number): PlannedSeries[] {
  if (modality === 'MG') return mammograms(procedure, count);
  const single = series(modality === 'CT' ? 'Axial' : 'Images', count);
  if (modality !== 'DX' && modality !== 'CR') return [single];
  return [{ ...single, viewPosition: radiographViews(procedure)[0]!, laterality: procedure.laterality }];
}
