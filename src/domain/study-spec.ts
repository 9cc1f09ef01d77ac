import type { Code } from './order.ts';

export const SERIES_KINDS = ['images', 'localizer', 'reconstruction', 'dose-sr', 'report'] as const;
export type SeriesKind = (typeof SERIES_KINDS)[number];

export interface SeriesSpec {
  seriesInstanceUid: string;
  seriesNumber: number;
  /** Defined term of Modality; `SR` for reports and dose. */
  modality: string;
  description: string;
  kind: SeriesKind;
  instanceCount: number;
  viewPosition: string | null;
  laterality: 'L' | 'R' | null;
}

/** How one modality's machine presents itself; see `stations.ts` for its habits on the wire. */
export interface StationIdentity {
  aeTitle: string;
  name: string;
  manufacturer: string;
  model: string;
}

/**
 * Everything that a study's files are a function of; small enough to travel in a job.
 * Same specification, same bytes.
 */
export interface StudySpec {
  patient: { id: string; issuer: string; name: string; birthDate: string; sex: 'F' | 'M' | 'O' };
  studyInstanceUid: string;
  studyId: string;
  accessionNumber: string;
  description: string;
  /** Virtual clock, milliseconds since the epoch. */
  startMs: number;
  modality: string;
  bodyPart: string;
  procedureCode: Code | null;
  requestedProcedureId: string | null;
  scheduledProcedureStepId: string | null;
  placerOrderNumber: string | null;
  fillerOrderNumber: string | null;
  referringPhysician: string | null;
  /** (0008,1111), when a performed procedure step was reported. */
  mppsInstanceUid: string | null;
  institution: string;
  station: StationIdentity;
  burnPatientInfo: boolean;
  /** `minimal` is a valid 8x8 image. */
  pixels: 'modality' | 'minimal';
  /** Seed of the picture's content. */
  contentSeed: number;
  uidRoot: string | null;
  series: readonly SeriesSpec[];
}
