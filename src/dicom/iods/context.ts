import { createRng, type Rng } from '../../lib/rng.ts';
import { deriveUid } from '../../lib/uid.ts';
import type { DataSet } from '../dataset.ts';
import { formatOf, type PixelFormat } from '../pixels/format.ts';
import { type Plane, planeOf } from '../pixels/plane.ts';
import { pairing, type Region, regionOf } from '../pixels/region.ts';
import { type ImageModality, isImageModality, type SeriesInput, type StudyInput } from '../study.ts';

/** What the modules of a series' objects are built from. */
export interface SeriesContext {
  study: StudyInput;
  series: SeriesInput;
  region: Region;
  /** Start of the series: series follow each other at two minutes. */
  startMs: number;
  frameOfReferenceUid: string;
  /** Acquisition values of the series; equal for equal seeds. */
  rng: Rng;
}

export interface ImageContext extends SeriesContext {
  modality: ImageModality;
  format: PixelFormat;
  /** How the slices of a sectional modality lie; of no meaning for the others. */
  plane: Plane;
  /** Null where the body part is not paired and none was given. */
  laterality: 'L' | 'R' | 'B' | 'U' | null;
  burnedIn: boolean;
}

/** How one class of objects is built: elements that the whole series shares, and those of one instance. */
export interface ImageIod {
  sopClassUid: string;
  shared(context: ImageContext): DataSet;
  own(context: ImageContext, instanceNumber: number): DataSet & { SOPInstanceUID: string };
}

const SERIES_INTERVAL_MS = 120_000;

export function seriesContext(study: StudyInput, series: SeriesInput): SeriesContext {
  return {
    study,
    series,
    region: regionOf(study.bodyPart),
    startMs: study.startMs + series.seriesNumber * SERIES_INTERVAL_MS,
    frameOfReferenceUid: deriveUid(study.uidRoot ?? null, 'frame of reference', study.studyInstanceUid),
    rng: createRng('series', study.contentSeed, series.seriesNumber),
  };
}

export function imageContext(study: StudyInput, series: SeriesInput): ImageContext {
  const modality = isImageModality(series.modality) ? series.modality : 'CT';
  const shared = seriesContext(study, series);
  return {
    ...shared,
    modality,
    plane: planeOf(series, shared.region),
    format: formatOf(study, series, modality),
    laterality: series.laterality ?? usualLaterality(study),
    burnedIn: study.burnPatientInfo && study.pixels === 'modality',
  };
}

function usualLaterality(study: StudyInput): 'L' | 'R' | 'B' | null {
  switch (pairing(study.bodyPart)) {
    case 'limb':
      return study.contentSeed % 2 === 0 ? 'R' : 'L';
    case 'organ':
      return 'B';
    case null:
      return null;
  }
}
