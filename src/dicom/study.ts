/** What a study consists of, before any byte of it exists. Everything that is built is a pure function of these. */

export const IMAGE_MODALITIES = ['CT', 'MR', 'DX', 'MG', 'CR', 'US', 'RF', 'NM', 'PT'] as const;
export type ImageModality = (typeof IMAGE_MODALITIES)[number];

export function isImageModality(modality: string): modality is ImageModality {
  return (IMAGE_MODALITIES as readonly string[]).includes(modality);
}

export interface PatientInput {
  id: string;
  /** Assigning authority, written as Issuer of Patient ID (0010,0021). */
  issuer: string;
  /** `LAST^FIRST`, any script. */
  name: string;
  /** `YYYYMMDD` */
  birthDate: string;
  sex: 'M' | 'F' | 'O';
}

export interface CodeInput {
  value: string;
  scheme: string;
  meaning: string;
}

export interface StationInput {
  aeTitle: string;
  name: string;
  manufacturer: string;
  model: string;
}

/** What a series holds; a study mixes them as a real one does. */
export type SeriesKind = 'images' | 'localizer' | 'reconstruction' | 'dose-sr' | 'report';

export interface SeriesInput {
  seriesInstanceUid: string;
  seriesNumber: number;
  /** That of the images, or `SR` for reports. */
  modality: string;
  description: string;
  kind: SeriesKind;
  instanceCount: number;
  /** View Position (0018,5101) of projection images: PA, AP, LL, CC, MLO and so on. */
  viewPosition?: string | null;
  laterality?: 'L' | 'R' | 'B' | 'U' | null;
}

export interface StudyInput {
  patient: PatientInput;
  studyInstanceUid: string;
  studyId: string;
  accessionNumber: string;
  description: string;
  /** Start of the study, milliseconds since the epoch; written in UTC. */
  startMs: number;
  modality: string;
  /** Body Part Examined (0018,0015), a defined term of PS3.16 annex L such as CHEST or HEAD. */
  bodyPart: string;
  procedureCode: CodeInput | null;
  requestedProcedureId: string | null;
  scheduledProcedureStepId: string | null;
  placerOrderNumber: string | null;
  fillerOrderNumber: string | null;
  referringPhysician: string | null;
  /** SOP Instance UID of the performed procedure step that the images refer to by (0008,1111). */
  mppsInstanceUid: string | null;
  institution: string;
  station: StationInput;
  /** Draws patient name, id, date and the word TEST into the pixels. */
  burnPatientInfo: boolean;
  /** `modality`: matrix and depth as the modality has them; `minimal`: a valid 8 x 8 object. */
  pixels: 'modality' | 'minimal';
  /** Decides noise and acquisition values; another seed gives other bytes. */
  contentSeed: number;
  /** A root that passed `checkUidRoot`; UIDs are below 2.25 without one. */
  uidRoot?: string | null;
  series: readonly SeriesInput[];
}
