import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OrderContext } from '../domain/order.ts';
import { readOrderContext } from './order-context.ts';

const MSH = 'MSH|^~\\&|RIS||||20260105||ORM^O01|1|T|2.5.1';
const UID = '1.2.840.113619.2.55';

/** The context of a message of these segments behind the header. */
function context(segments: string[], accessionField = 'OBR.3'): OrderContext {
  return readOrderContext([MSH, ...segments, ''].join('\r'), accessionField);
}

/** A segment with values at some of its fields. */
function segment(name: string, fields: Record<number, string>): string {
  const values = Array.from(
    { length: Math.max(...Object.keys(fields).map(Number)) },
    (_, i) => fields[i + 1] ?? '',
  );
  return [name, ...values].join('|');
}

describe('the accession number', () => {
  const orc = segment('ORC', { 1: 'NW', 2: 'O2^A', 3: 'O3' });
  const obr = segment('OBR', { 2: 'B2^A', 3: ' B3 ^A', 18: 'B18' });
  const cases: [field: string, segments: string[], expected: string | null][] = [
    ['OBR.3', [orc, obr], 'B3'],
    ['OBR.2', [orc, obr], 'B2'],
    ['ORC.2', [orc, obr], 'O2'],
    ['ORC.3', [orc, obr], 'O3'],
    ['OBR.18', [orc, obr], 'B18'],
    ['OBR-18', [orc, obr], 'B18'],
    ['OBR-3.2', [orc, obr], 'A'],
    ['IPC.1', [segment('IPC', { 1: 'I1^PACS' })], 'I1'],
    ['OBR.3', [obr, segment('OBR', { 3: 'SECOND' })], 'B3'],
    ['OBR.3', [segment('OBR', { 3: '12345678901234567890' })], '1234567890123456'],
    ['OBR.3', [segment('OBR', { 3: 'A\\T\\B' })], 'A&B'],
    ['OBR.3', [segment('OBR', { 3: '""' })], null],
    ['OBR.3', [segment('OBR', { 3: '  ' })], null],
    ['OBR.3', [orc], null],
  ];
  for (const [field, segments, expected] of cases) {
    it(`is ${expected} at ${field} of ${segments.join(' ')}`, () => {
      assert.equal(context(segments, field).accessionNumber, expected);
    });
  }

  it('cannot stand at a place that is none', () => {
    assert.throws(() => context([obr], 'OBR'), { code: 'HL7_PATH' });
  });
});

describe('the study description', () => {
  const cases: [procedure: string, expected: string | null][] = [
    ['24627-2^CT Chest^LN', 'CT Chest'],
    ['24627-2^^LN', '24627-2'],
    ['24627-2', '24627-2'],
    ['^CT Head \\T\\ Neck', 'CT Head & Neck'],
    ['', null],
  ];
  for (const [procedure, expected] of cases) {
    it(`is ${expected} for OBR-4 ${procedure}`, () => {
      assert.equal(context([segment('OBR', { 4: procedure })]).studyDescription, expected);
    });
  }
});

describe('the modality', () => {
  const obr = (section: string, text = ''): string => segment('OBR', { 4: `X^${text}`, 24: section });
  const ipc = (term: string): string => segment('IPC', { 5: term });
  const zds = (hint: string): string => segment('ZDS', { 1: UID, 3: hint });
  const cases: [segments: string[], expected: string][] = [
    [[obr('CT', 'CT Head'), zds('CT_1'), ipc('MR^Magnetic^DCM')], 'MR'],
    [[obr('US'), ipc('XA')], 'US'],
    [[obr('MG', 'CT Head'), zds('CT_1')], 'MG'],
    [[obr('ct')], 'CT'],
    [[obr('NMR')], 'MR'],
    [[obr('NMS')], 'NM'],
    [[obr('RUS')], 'US'],
    [[obr('RX')], 'DX'],
    [[obr('RAD', 'MR Knee')], 'MR'],
    [[obr('RAD', 'CT Head'), zds('MR_KNEE')], 'MR'],
    [[obr('', 'CT Head'), zds('ROOM2_US')], 'US'],
    [[obr('', 'CT Head'), zds('site^RF_2')], 'RF'],
    [[obr('', 'US Abdomen'), zds('PACT_1')], 'US'],
    [[obr('', 'PET/CT Whole Body')], 'PT'],
    [[obr('', 'US Abdomen')], 'US'],
    [[obr('', 'FOCUS AND DIRECT')], 'CT'],
    [['OBR|1'], 'CT'],
    [['ORC|NW'], 'CT'],
  ];
  for (const [segments, expected] of cases) {
    it(`is ${expected} for ${segments.join(' ')}`, () => {
      assert.equal(context(segments).modality, expected);
    });
  }

  it('is unknown where there is no order', () => {
    assert.equal(context(['PID|1||1']).modality, null);
  });
});

describe('the identifiers of an order', () => {
  it('come from ORC, OBR and ZDS', () => {
    const found = context([
      segment('ORC', { 1: 'NW', 2: 'P1^RIS', 3: 'F1^RIS' }),
      segment('OBR', { 2: 'P2', 3: 'F2', 19: 'RP1', 20: 'SPS1' }),
      segment('ZDS', { 1: `${UID}^RIS^Application^DICOM` }),
    ]);
    assert.equal(found.placerOrderNumber, 'P1');
    assert.equal(found.fillerOrderNumber, 'F1');
    assert.equal(found.requestedProcedureId, 'RP1');
    assert.equal(found.scheduledProcedureStepId, 'SPS1');
    assert.equal(found.studyInstanceUid, UID);
    assert.equal(found.stationAeTitle, null);
  });

  it('come from OBR and IPC where those say nothing', () => {
    const found = context([
      'ORC|NW',
      segment('OBR', { 2: 'P2', 3: 'F2' }),
      segment('IPC', { 1: 'A', 2: 'RP^RIS', 3: `${UID}^RIS`, 4: 'SPS^RIS', 9: 'CT_ROOM_1' }),
    ]);
    assert.equal(found.placerOrderNumber, 'P2');
    assert.equal(found.fillerOrderNumber, 'F2');
    assert.equal(found.requestedProcedureId, 'RP');
    assert.equal(found.scheduledProcedureStepId, 'SPS');
    assert.equal(found.studyInstanceUid, UID);
    assert.equal(found.stationAeTitle, 'CT_ROOM_1');
  });

  it('pass over a Study Instance UID that is none', () => {
    for (const bad of ['PLACEHOLDER', '1.2.', '1.02', '1', `${UID}.${'9'.repeat(60)}`]) {
      assert.equal(context([segment('ZDS', { 1: bad }), 'OBR|1']).studyInstanceUid, null);
    }
  });
});

describe('the patient', () => {
  const pid = (fields: Record<number, string>): OrderContext => context([segment('PID', fields)]);

  it('has the identifiers of PID', () => {
    const found = pid({
      3: '123^^^YEETER&1.2&ISO^MR~9^^^SSA',
      5: 'DOE&VAN^JANE^Q^JR^DR',
      7: '19700102',
      8: 'F',
    });
    assert.equal(found.patientId, '123');
    assert.equal(found.patientIssuer, 'YEETER');
    assert.equal(found.patientName, 'DOE^JANE^Q^DR^JR');
    assert.equal(found.patientBirthDate, '19700102');
    assert.equal(found.patientSex, 'F');
  });

  it('has a name without the characters that divide DICOM names', () => {
    assert.equal(pid({ 5: 'A\\S\\B^C=D' }).patientName, 'A B^C D');
    assert.equal(pid({ 5: '^' }).patientName, null);
  });

  it('has a birth date only when the day is known', () => {
    assert.equal(pid({ 7: '197001021530+0100' }).patientBirthDate, '19700102');
    assert.equal(pid({ 7: '1970' }).patientBirthDate, null);
  });

  for (const [code, expected] of Object.entries({ M: 'M', O: 'O', A: 'O', N: 'O', U: null, '': null })) {
    it(`of sex ${code || '(empty)'} in HL7 is ${expected} in DICOM`, () => {
      assert.equal(pid({ 8: code }).patientSex, expected);
    });
  }
});
