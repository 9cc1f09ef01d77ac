import type { SeriesInput, StudyInput } from '../../src/dicom/study.ts';
import { deriveUid } from '../../src/lib/uid.ts';

/** A study for tests and measurements; series are numbered as they come. */
export function studyFixture(
  modality: string,
  bodyPart: string,
  series: readonly Partial<SeriesInput>[],
  more: Partial<StudyInput> = {},
): StudyInput {
  const studyInstanceUid = deriveUid(null, 'fixture', modality, bodyPart);
  return {
    patient: { id: '00001234', issuer: 'YEETER', name: 'ZZTEST^ANNA', birthDate: '19650412', sex: 'F' },
    studyInstanceUid,
    studyId: 'S1',
    accessionNumber: 'ACC00000001',
    description: `${modality} ${bodyPart}`,
    startMs: Date.UTC(2026, 0, 5, 9, 30),
    modality,
    bodyPart,
    procedureCode: { value: 'P100', scheme: '99YEETER', meaning: `${modality} ${bodyPart}` },
    requestedProcedureId: 'RP1',
    scheduledProcedureStepId: 'SPS1',
    placerOrderNumber: 'PLR00000001',
    fillerOrderNumber: 'FIL00000001',
    referringPhysician: 'ZZTEST^REFERRER',
    mppsInstanceUid: deriveUid(null, 'mpps', studyInstanceUid),
    institution: 'Yeeter Test Hospital',
    station: { aeTitle: `${modality}01`, name: `${modality} 1`, manufacturer: 'Yeeter', model: 'Synthetic' },
    burnPatientInfo: false,
    pixels: 'modality',
    contentSeed: 42,
    ...more,
    series: series.map((input, index) => ({
      seriesInstanceUid: deriveUid(null, 'series', studyInstanceUid, index),
      seriesNumber: index + 1,
      modality,
      description: `Series ${index + 1}`,
      kind: 'images' as const,
      instanceCount: 1,
      ...input,
    })),
  };
}
