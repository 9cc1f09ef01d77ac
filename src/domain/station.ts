import type { Modality } from './modality.ts';
import type { StationIdentity } from './study-spec.ts';

export const ASSOCIATION_POLICIES = ['study', 'series', 'image', 'kept_open'] as const;
export type AssociationPolicy = (typeof ASSOCIATION_POLICIES)[number];

/** A modality's machine and its habits on the wire. */
export interface Station extends StationIdentity {
  modality: Modality;
  /** Names of DICOM endpoints; empty means the step's own. */
  destinations: readonly string[];
  /** Time between two images leaving the machine, milliseconds; 0 sends as fast as the wire goes. */
  cadenceMs: number;
  /** One association per study, series or image, or one kept open. */
  association: AssociationPolicy;
}
