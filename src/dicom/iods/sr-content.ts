import type { DataSet } from '../dataset.ts';

/** Content items of structured reports (PS3.3 section C.17.3). */

type Relationship = 'CONTAINS' | 'HAS CONCEPT MOD' | 'HAS OBS CONTEXT' | 'HAS PROPERTIES' | 'INFERRED FROM';

export function container(relationship: Relationship, name: DataSet, content: readonly DataSet[]): DataSet {
  return {
    RelationshipType: relationship,
    ValueType: 'CONTAINER',
    ConceptNameCodeSequence: [name],
    ContinuityOfContent: 'SEPARATE',
    ContentSequence: content,
  };
}

export function textItem(relationship: Relationship, name: DataSet, value: string): DataSet {
  return {
    RelationshipType: relationship,
    ValueType: 'TEXT',
    ConceptNameCodeSequence: [name],
    TextValue: value,
  };
}

export function codeItem(
  relationship: Relationship,
  name: DataSet,
  value: DataSet,
  content: DataSet[] = [],
): DataSet {
  return {
    RelationshipType: relationship,
    ValueType: 'CODE',
    ConceptNameCodeSequence: [name],
    ConceptCodeSequence: [value],
    ...(content.length > 0 && { ContentSequence: content }),
  };
}

export function numberItem(relationship: Relationship, name: DataSet, value: number, unit: DataSet): DataSet {
  return {
    RelationshipType: relationship,
    ValueType: 'NUM',
    ConceptNameCodeSequence: [name],
    MeasuredValueSequence: [{ NumericValue: value, MeasurementUnitsCodeSequence: [unit] }],
  };
}

export function uidItem(relationship: Relationship, name: DataSet, value: string): DataSet {
  return { RelationshipType: relationship, ValueType: 'UIDREF', ConceptNameCodeSequence: [name], UID: value };
}

export function dateTimeItem(relationship: Relationship, name: DataSet, value: string): DataSet {
  return {
    RelationshipType: relationship,
    ValueType: 'DATETIME',
    ConceptNameCodeSequence: [name],
    DateTime: value,
  };
}
