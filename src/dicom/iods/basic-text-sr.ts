import type { DataSet } from '../dataset.ts';
import { SOP_CLASS } from '../uids.ts';
import { code, commonModules, commonOwn, referencedRequest } from './common.ts';
import type { SeriesContext } from './context.ts';
import { codeItem, container, textItem } from './sr-content.ts';

/** Basic Text SR (PS3.3 section A.35.1) after the template Basic Diagnostic Imaging Report (PS3.16 TID 2000). */
export function basicTextSr(context: SeriesContext, instanceNumber: number): DataSet {
  const { ContentSequence, ...root } = reportContent(context);
  const { RelationshipType: _none, ...document } = root;
  return {
    ReferencedPerformedProcedureStepSequence: [],
    ...commonModules(context, SOP_CLASS.basicTextSr),
    ...commonOwn(context, instanceNumber),
    ...referencedRequest(context),
    ...document,
    ContentSequence,
    ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: '2000' }],
    CompletionFlag: 'COMPLETE',
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'FINAL',
  };
}

function reportContent(context: SeriesContext): DataSet {
  const { study } = context;
  return container('CONTAINS', code('18748-4', 'LN', 'Diagnostic Imaging Report'), [
    codeItem(
      'HAS CONCEPT MOD',
      code('121049', 'DCM', 'Language of Content Item and Descendants'),
      code('en', 'RFC5646', 'English'),
    ),
    codeItem('HAS OBS CONTEXT', code('121005', 'DCM', 'Observer Type'), code('121006', 'DCM', 'Person')),
    personName(study.referringPhysician ?? 'TEST^RADIOLOGIST'),
    section(
      code('121060', 'DCM', 'History'),
      code('121060', 'DCM', 'History'),
      'Synthetic patient, generated for tests.',
    ),
    section(
      code('121070', 'DCM', 'Findings'),
      code('121071', 'DCM', 'Finding'),
      FINDINGS[context.rng.int(0, FINDINGS.length - 1)]!,
    ),
    section(
      code('121076', 'DCM', 'Conclusions'),
      code('121077', 'DCM', 'Conclusion'),
      `${study.description}: TEST DATA, not for clinical use.`,
    ),
  ]);
}

function section(heading: DataSet, name: DataSet, value: string): DataSet {
  return container('CONTAINS', heading, [textItem('CONTAINS', name, value)]);
}

function personName(name: string): DataSet {
  return {
    RelationshipType: 'HAS OBS CONTEXT',
    ValueType: 'PNAME',
    ConceptNameCodeSequence: [code('121008', 'DCM', 'Person Observer Name')],
    PersonName: name,
  };
}

const FINDINGS = [
  'No acute abnormality. Normal appearance for age.',
  'Mild degenerative change without further finding.',
  'Small incidental finding of no consequence; no follow-up needed.',
];
