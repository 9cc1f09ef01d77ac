import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../lib/rng.ts';
import { inferModality } from './infer-modality.ts';
import { procedureFor } from './match-procedure.ts';
import { MODALITIES } from './modality.ts';
import { CATALOGUE } from './procedure-catalogue.ts';
import { DEFAULT_CASE_MIX, drawProcedure, drawProcedureOf } from './procedures.ts';

const LINES = MODALITIES.flatMap((modality) => CATALOGUE[modality]);

describe('the usual mix of modalities', () => {
  it('is as frequent as in a general hospital', () => {
    assert.deepEqual(DEFAULT_CASE_MIX, { DX: 35, CT: 25, MR: 20, US: 10, CR: 5, NM: 3, MG: 2 });
  });
});

describe('the procedure catalogue', () => {
  it('has at least 60 procedures over all modalities', () => {
    assert.ok(new Set(LINES.map((line) => line.code.value)).size >= 60);
    for (const modality of MODALITIES) assert.ok(CATALOGUE[modality].length >= 3, modality);
  });

  it('keeps to the lengths and characters of DICOM and HL7', () => {
    for (const { code, description, bodyPart } of LINES) {
      assert.match(code.value, /^[A-Z0-9-]{1,16}$/);
      assert.match(code.scheme, /^(LN|99YTR)$/);
      assert.match(bodyPart, /^[A-Z]{2,16}$/);
      assert.match(description, /^[A-Za-z0-9 -]{1,64}$/);
    }
  });

  it('has LOINC codes with their check digit', () => {
    for (const { code } of LINES.filter((line) => line.code.scheme === 'LN')) {
      const [number, check] = code.value.split('-') as [string, string];
      // Luhn, as LOINC codes are checked.
      const sum = [...number].reverse().reduce((total, digit, i) => {
        const doubled = Number(digit) * (i % 2 === 0 ? 2 : 1);
        return total + (doubled > 9 ? doubled - 9 : doubled);
      }, 0);
      assert.equal((10 - (sum % 10)) % 10, Number(check), code.value);
    }
  });

  it('describes no two procedures alike', () => {
    assert.equal(new Set(LINES.map((line) => line.description)).size, LINES.length);
  });

  it('finds each of its lines again by description', () => {
    for (const { weight: _, sex: __, minAge: ___, maxAge: ____, ...procedure } of LINES)
      assert.deepEqual(procedureFor(procedure), procedure);
  });

  it('describes procedures so that their modality can be told', () => {
    for (const { description, modality } of LINES) {
      const inferred = inferModality(description);
      // Plain radiographs are the same words whether digital or computed.
      assert.equal(inferred, modality === 'CR' ? 'DX' : modality, description);
    }
  });
});

describe('procedureFor', () => {
  const CASES = [
    ['CT Thorax', 'CT', 'CT Chest'],
    ['CT HEAD WITHOUT CONTRAST', 'CT', 'CT Head'],
    ['MRI BRAIN W/WO CONTRAST', 'MR', 'MR Brain WO and W contrast IV'],
    ['CT ABDOMEN/PELVIS W CONTRAST', 'CT', 'CT Abdomen and Pelvis W contrast IV'],
    ['XR KNEE LEFT 2V', 'DX', 'XR Knee 2 Views Left'],
    ['US RENAL', 'US', 'US Kidneys'],
    ['Mammogram screening', 'MG', 'MG Breast Screening'],
  ] as const;
  for (const [description, modality, expected] of CASES)
    it(`takes "${description}" for ${expected}`, () =>
      assert.equal(procedureFor({ description, modality })?.description, expected));

  it('claims nothing for words that it does not know', () => {
    assert.equal(procedureFor({ description: 'CT of the unusual', modality: 'CT' }), null);
  });
});

describe('inferModality', () => {
  it('takes whole words only, the most specific first', () => {
    assert.equal(inferModality('PET/CT skull base to thigh'), 'PT');
    assert.equal(inferModality('ct head'), 'CT');
    assert.equal(inferModality('Fracture of the tibia'), null);
    assert.equal(inferModality('Focus study'), null);
    assert.equal(inferModality('X-ray chest'), 'DX');
  });
});

describe('drawProcedure', () => {
  it('keeps to the mix over all patients, with mammograms for women over 40 only', () => {
    const rng = createRng('procedures test');
    const counts = new Map<string, number>();
    const total = 20_000;
    for (let i = 0; i < total; i++) {
      const sex = rng.float() < 0.53 ? 'F' : 'M';
      const ageYears = rng.float() < 0.245 ? 20 : 60;
      const { modality } = drawProcedure(rng, DEFAULT_CASE_MIX, { sex, ageYears });
      counts.set(modality, (counts.get(modality) ?? 0) + 1);
      if (modality === 'MG') assert.deepEqual({ sex, ageYears }, { sex: 'F', ageYears: 60 });
    }
    for (const [modality, share] of Object.entries(DEFAULT_CASE_MIX))
      assert.ok(
        Math.abs((100 * counts.get(modality)!) / total - share) < 1.2,
        `${modality} ${counts.get(modality)}`,
      );
  });

  it('gives mammograms to everybody when nothing else is asked for', () => {
    const rng = createRng(1);
    assert.equal(drawProcedure(rng, { MG: 1 }, { sex: 'M', ageYears: 9 }).modality, 'MG');
  });

  it('never orders a pregnancy scan for a man or a prostate for a woman', () => {
    const rng = createRng(2);
    for (let i = 0; i < 500; i++) {
      const man = drawProcedureOf(rng, 'US', { sex: 'M', ageYears: 30 });
      assert.doesNotMatch(man.description, /pregnancy|transvaginal|Breast/);
      assert.notEqual(drawProcedureOf(rng, 'MR', { sex: 'F', ageYears: 60 }).bodyPart, 'PROSTATE');
    }
  });
});
