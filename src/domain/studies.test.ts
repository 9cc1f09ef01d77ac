import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunIdentity } from './identity.ts';
import { MODALITIES, type Modality } from './modality.ts';
import type { OrderContext } from './order.ts';
import { orderAt } from './orders.ts';
import { patientAt } from './population.ts';
import { usualProcedure } from './procedures.ts';
import { planStudies, type StudyPlanInput } from './studies.ts';
import type { StudySpec } from './study-spec.ts';
import type { GenerateDicomParameters } from './template.ts';

const IDENTITY: RunIdentity = { seed: 7, namespace: 0, clockStartMs: Date.UTC(2026, 0, 5), uidRoot: null };

const PARAMETERS: GenerateDicomParameters = {
  count: 10,
  modality: null,
  studyDescription: null,
  generatePixels: true,
  burnPatientInfo: false,
  generateReport: false,
  store: 'stream',
};

const SILENT: OrderContext = {
  accessionNumber: null,
  placerOrderNumber: null,
  fillerOrderNumber: null,
  requestedProcedureId: null,
  scheduledProcedureStepId: null,
  studyInstanceUid: null,
  studyDescription: null,
  modality: null,
  stationAeTitle: null,
  patientId: null,
  patientIssuer: null,
  patientName: null,
  patientBirthDate: null,
  patientSex: null,
};

interface Wanted extends Partial<StudyPlanInput> {
  drawn?: Modality;
  proceduresPerOrder?: number;
}

function inputOf({ drawn = 'CT', proceduresPerOrder = 1, ...rest }: Wanted = {}): StudyPlanInput {
  const iteration = rest.iteration ?? 1;
  const patient = patientAt(IDENTITY, iteration - 1);
  const source = { caseMix: { [drawn]: 1 }, stations: [], steps: [], proceduresPerOrder };
  const order = orderAt(IDENTITY, iteration, patient, source);
  return {
    identity: IDENTITY,
    iteration,
    patient,
    order,
    context: null,
    parameters: PARAMETERS,
    stations: [],
    ...rest,
  };
}

function studyOf(wanted: Wanted = {}): StudySpec {
  return planStudies(inputOf(wanted))[0]!;
}

function countOf(study: StudySpec): number {
  return study.series.reduce((sum, series) => sum + series.instanceCount, 0);
}

describe('planStudies', () => {
  it('takes what was drawn when no message says otherwise', () => {
    const input = inputOf();
    const [study] = planStudies(input);
    assert.equal(study!.accessionNumber, input.order.accessionNumber);
    assert.equal(study!.studyInstanceUid, input.order.procedures[0].studyInstanceUid);
    assert.equal(study!.patient.id, input.patient.mrn);
    assert.equal(study!.patient.issuer, 'YEETER');
    assert.deepEqual(study!.procedureCode, input.order.procedures[0].procedure.code);
    assert.equal(study!.station.aeTitle, 'YEETER_CT1');
  });

  it('lets the message win over what was drawn', () => {
    const context: OrderContext = {
      ...SILENT,
      accessionNumber: 'A1',
      studyInstanceUid: '1.2.3',
      requestedProcedureId: 'R1',
      scheduledProcedureStepId: 'S1',
      placerOrderNumber: 'P1',
      fillerOrderNumber: 'F1',
      modality: 'MR',
      studyDescription: 'MRI brain',
      patientId: '42',
      patientIssuer: 'HOSP',
      patientName: 'DOE^JANE',
      patientBirthDate: '19700101',
      patientSex: 'O',
    };
    const study = studyOf({ context });
    assert.deepEqual(study.patient, {
      id: '42',
      issuer: 'HOSP',
      name: 'DOE^JANE',
      birthDate: '19700101',
      sex: 'O',
    });
    assert.deepEqual(
      [
        study.accessionNumber,
        study.studyInstanceUid,
        study.requestedProcedureId,
        study.scheduledProcedureStepId,
      ],
      ['A1', '1.2.3', 'R1', 'S1'],
    );
    assert.deepEqual([study.placerOrderNumber, study.fillerOrderNumber], ['P1', 'F1']);
    assert.deepEqual([study.modality, study.description, study.bodyPart], ['MR', 'MRI brain', 'BRAIN']);
    assert.equal(study.procedureCode?.value, '24590-2');
    assert.equal(study.station.aeTitle, 'YEETER_MR1');
  });

  it('is sent by the machine that the message names, unless that is of another modality', () => {
    const sentBy = (stationAeTitle: string): string =>
      studyOf({ context: { ...SILENT, stationAeTitle } }).station.aeTitle;
    assert.equal(sentBy('CT_ROOM_3'), 'CT_ROOM_3');
    assert.equal(sentBy('YEETER_MR1'), 'YEETER_CT1');
  });

  it('lets the parameters win over the message in modality and description', () => {
    const context = { ...SILENT, modality: 'MR' as const, studyDescription: 'MR Brain' };
    const study = studyOf({
      context,
      parameters: { ...PARAMETERS, modality: 'US', studyDescription: 'US Kidneys' },
    });
    assert.deepEqual([study.modality, study.description, study.bodyPart], ['US', 'US Kidneys', 'KIDNEY']);
  });

  it('infers the modality from the description when nothing names it', () => {
    assert.equal(studyOf({ context: { ...SILENT, studyDescription: 'X-ray of the knee' } }).modality, 'DX');
  });

  it('lets a modality that is named win over what the description would infer', () => {
    const named = { ...SILENT, modality: 'MR', studyDescription: 'CT Head' } as const;
    assert.equal(studyOf({ context: named }).modality, 'MR');
    const parameters = { ...PARAMETERS, modality: 'US', studyDescription: 'CT Head' } as const;
    assert.equal(studyOf({ parameters }).modality, 'US');
  });

  it('has the usual description of a modality that only a parameter names', () => {
    const study = studyOf({ drawn: 'CT', parameters: { ...PARAMETERS, modality: 'US' } });
    assert.equal(study.description, usualProcedure('US').description);
    assert.equal(study.procedureCode?.value, usualProcedure('US').code.value);
  });

  it('claims no code for a description that the catalogue does not know', () => {
    const study = studyOf({ context: { ...SILENT, modality: 'CT', studyDescription: 'Something new' } });
    assert.equal(study.procedureCode, null);
    assert.equal(study.description, 'Something new');
    assert.equal(study.bodyPart, 'HEAD');
  });

  for (const modality of MODALITIES)
    it(`makes exactly as many ${modality} images as asked, and a report only when asked`, () => {
      for (const count of [1, 2, 3, 5, 10]) {
        const study = studyOf({ drawn: modality, parameters: { ...PARAMETERS, count } });
        assert.equal(countOf(study), count);
        assert.equal(study.series.length, modality === 'MG' ? Math.min(4, count, study.series.length) : 1);
        const reported = studyOf({
          drawn: modality,
          parameters: { ...PARAMETERS, count, generateReport: true },
        });
        assert.equal(countOf(reported), count + 1);
        assert.equal(reported.series.at(-1)!.kind, 'report');
        assert.equal(reported.series.at(-1)!.modality, 'SR');
      }
    });

  it('makes the four views of a screening mammogram, in order', () => {
    const context = { ...SILENT, modality: 'MG' as const, studyDescription: 'MG Breast Screening' };
    const study = studyOf({ context, parameters: { ...PARAMETERS, count: 'typical' } });
    const views = study.series.map(({ laterality, viewPosition }) => `${laterality}${viewPosition}`);
    assert.deepEqual(views, ['RCC', 'LCC', 'RMLO', 'LMLO']);
    assert.equal(countOf(study), 4);
  });

  it('gives a typical CT localiser, axial series and dose report', () => {
    const kinds = new Set<string>();
    const counts: number[] = [];
    for (let iteration = 1; iteration <= 400; iteration++) {
      const study = studyOf({ iteration, parameters: { ...PARAMETERS, count: 'typical' } });
      for (const series of study.series) kinds.add(series.kind);
      assert.deepEqual([study.series[0]!.kind, study.series.at(-1)!.kind], ['localizer', 'dose-sr']);
      counts.push(countOf(study));
    }
    assert.deepEqual([...kinds].sort(), ['dose-sr', 'images', 'localizer', 'reconstruction']);
    counts.sort((a, b) => a - b);
    // Long-tailed: the largest are several times the median, and the mean is above it.
    const median = counts[200]!;
    assert.ok(counts.at(-1)! > 2.5 * median);
    assert.ok(counts.reduce((a, b) => a + b) / counts.length > median);
  });

  it('takes as many radiographs as the procedure has views', () => {
    const context = { ...SILENT, modality: 'DX' as const, studyDescription: 'XR Chest 2 Views' };
    const study = studyOf({ context, parameters: { ...PARAMETERS, count: 'typical' } });
    assert.deepEqual(
      study.series.map(({ viewPosition }) => viewPosition),
      ['PA', 'LL'],
    );
  });

  it('makes one study for each requested procedure, the message describing the first', () => {
    const context = { ...SILENT, studyInstanceUid: '1.2.3', patientId: '42', accessionNumber: 'A1' };
    const studies = planStudies(inputOf({ proceduresPerOrder: 2, context }));
    assert.equal(studies.length, 2);
    assert.equal(studies[0]!.studyInstanceUid, '1.2.3');
    assert.notEqual(studies[1]!.studyInstanceUid, '1.2.3');
    assert.deepEqual(
      studies.map((study) => [study.patient.id, study.accessionNumber]),
      [
        ['42', 'A1'],
        ['42', 'A1'],
      ],
    );
  });

  it('makes series of their own for each repetition, in the same study', () => {
    const first = studyOf({ occurrence: { stepOrder: 3, repetition: 0 } });
    const second = studyOf({ occurrence: { stepOrder: 3, repetition: 1 } });
    assert.equal(first.studyInstanceUid, second.studyInstanceUid);
    assert.notEqual(first.series[0]!.seriesInstanceUid, second.series[0]!.seriesInstanceUid);
    assert.notEqual(first.series[0]!.seriesNumber, second.series[0]!.seriesNumber);
  });

  it('is the same for the same input', () => {
    const typical = { ...PARAMETERS, count: 'typical' as const };
    assert.deepEqual(
      planStudies(inputOf({ parameters: typical })),
      planStudies(inputOf({ parameters: typical })),
    );
  });

  it('carries the performed procedure step to the first study', () => {
    const studies = planStudies(inputOf({ proceduresPerOrder: 2, mppsInstanceUid: '1.9' }));
    assert.deepEqual(
      studies.map((study) => study.mppsInstanceUid),
      ['1.9', null],
    );
  });
});
