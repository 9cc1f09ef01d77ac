import { createRequire } from 'node:module';

/** What a version of the standard says of a field. */
export interface FieldDefinition {
  datatype: string;
  desc: string;
  /** 1 optional, 2 required, 3 conditional, 4 kept for older versions, 5 withdrawn. */
  opt: number;
  /** 1 once, 0 any number of times, else at most so many. */
  rep: number;
  len: number;
  table?: number;
}

export interface SegmentDefinition {
  desc: string;
  fields: readonly FieldDefinition[];
}

export type SegmentDefinitions = Readonly<Record<string, SegmentDefinition>>;

export const HL7_VERSIONS = [
  '2.1',
  '2.2',
  '2.3',
  '2.3.1',
  '2.4',
  '2.5',
  '2.5.1',
  '2.6',
  '2.7',
  '2.7.1',
] as const;
export type Hl7Version = (typeof HL7_VERSIONS)[number];

export const DEFAULT_VERSION: Hl7Version = '2.5.1';

const load = createRequire(import.meta.url);

/** The segments of a version; only those that are asked for are loaded, since all of them take tens of megabytes. */
export function segmentsOf(version: Hl7Version): SegmentDefinitions {
  return load(`hl7-dictionary/lib/${version}/segments.js`) as SegmentDefinitions;
}
