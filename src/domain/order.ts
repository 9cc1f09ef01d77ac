import type { Modality } from './modality.ts';

/** A code with its scheme, as OBR-4 and the Procedure Code Sequence carry it. */
export interface Code {
  value: string;
  /** Coding Scheme Designator, for example `LN` (LOINC), `SCT` or `L` for local. */
  scheme: string;
  meaning: string;
}

/** A line of the procedure catalogue: code, description, modality and body part that agree everywhere. */
export interface Procedure {
  code: Code;
  /** OBR-4.2, worklist and Study Description. */
  description: string;
  modality: Modality;
  /** Defined term of Body Part Examined (0018,0015). */
  bodyPart: string;
  laterality: 'L' | 'R' | null;
}

/** One requested procedure of an order; it becomes one study. */
export interface RequestedProcedure {
  procedure: Procedure;
  /** OBR-19, IPC-2, (0040,1001). */
  requestedProcedureId: string;
  /** OBR-20, IPC-4, (0040,0009). */
  scheduledProcedureStepId: string;
  /** ZDS-1, IPC-3, (0020,000D). */
  studyInstanceUid: string;
}

/** One order to n procedures. A pure function of (seed, namespace, index). */
export interface Order {
  /** At most 16 characters. */
  accessionNumber: string;
  placerOrderNumber: string;
  fillerOrderNumber: string;
  procedures: readonly [RequestedProcedure, ...RequestedProcedure[]];
  /** Virtual clock, milliseconds since the epoch. */
  requestedAtMs: number;
  scheduledStartMs: number;
  scheduledEndMs: number;
  /** `LAST^FIRST`. */
  referringPhysician: string;
  /** AE title of the station it is scheduled on, IPC-9. */
  stationAeTitle: string;
}

/** What an order message, or a worklist item, says about identity; it wins over what we would draw. Absent facts are null. */
export interface OrderContext {
  accessionNumber: string | null;
  placerOrderNumber: string | null;
  fillerOrderNumber: string | null;
  requestedProcedureId: string | null;
  scheduledProcedureStepId: string | null;
  studyInstanceUid: string | null;
  studyDescription: string | null;
  modality: Modality | null;
  stationAeTitle: string | null;
  /** PID-3.1, PID-5, PID-7 and PID-8, so that the images name the patient of the message. */
  patientId: string | null;
  patientIssuer: string | null;
  /** DICOM form: `LAST^FIRST^MIDDLE^PREFIX^SUFFIX`. */
  patientName: string | null;
  patientBirthDate: string | null;
  patientSex: 'F' | 'M' | 'O' | null;
}

/** What a later source says replaces what was said before; what it is silent about stays. */
export function laterWins(earlier: OrderContext | null, later: OrderContext | null): OrderContext | null {
  if (earlier === null || later === null) return later ?? earlier;
  const said = Object.entries(later).filter(([, value]) => value !== null);
  return { ...earlier, ...Object.fromEntries(said) };
}
