import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sopInstanceUid } from '../../src/dicom/uids.ts';
import { planStudies } from '../../src/domain/studies.ts';
import { startState } from '../../src/steps/start-state.ts';
import { TEST_IDENTITY } from '../support/job.ts';
import { testStep, testTemplate } from '../support/template.ts';

it('100,000 patients have no two equal study, series or SOP instance UIDs', () => {
  const { parameters } = testStep('GENERATE_DICOM', {
    count: 2,
    modality: null,
    studyDescription: null,
    generatePixels: true,
    burnPatientInfo: false,
    generateReport: true,
    store: 'stream',
  });
  const template = testTemplate([], { caseMix: { CT: 1, MG: 1, US: 1 } });
  const uids = new Set<string>();
  let made = 0;
  const add = (uid: string): void => {
    made++;
    assert.ok(uid.length <= 64);
    uids.add(uid);
  };
  for (let iteration = 1; iteration <= 100_000; iteration++) {
    const { patient, order } = startState(template, TEST_IDENTITY, iteration);
    const asked = {
      identity: TEST_IDENTITY,
      iteration,
      patient,
      order,
      context: null,
      parameters,
      stations: [],
    };
    for (const study of planStudies(asked)) {
      add(study.studyInstanceUid);
      for (const { seriesInstanceUid, instanceCount } of study.series) {
        add(seriesInstanceUid);
        for (let n = 1; n <= instanceCount; n++) add(sopInstanceUid(seriesInstanceUid, n, study.uidRoot));
      }
    }
  }
  assert.ok(made >= 600_000);
  assert.equal(uids.size, made);
});
