import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { orderAt } from '../../domain/orders.ts';
import { patientAt } from '../../domain/population.ts';
import { createRng } from '../../lib/rng.ts';
import { readOrderContext } from '../order-context.ts';
import { type CueCompilerOptions, createCueCompiler } from './compile-cue.ts';
import type { RenderContext } from './render-context.ts';
import type { RunContext } from './run-context.ts';

const identity = { seed: 7, namespace: 0, clockStartMs: Date.UTC(2026, 0, 5, 8, 9, 10), uidRoot: null };
const patient = { ...patientAt(identity, 0), firstName: 'Jane', lastName: 'zztest-O\u2019Doe' };

const NOTHING_YET = { orderContext: null, worklistItem: null, message: null, performedStep: null };

function createContext(seed = 1): RenderContext {
  return {
    patient,
    order: {
      ...orderAt(identity, 1, patient, { caseMix: { CT: 1 }, stations: [], steps: [] }),
      accessionNumber: 'ACC00000042',
      scheduledStartMs: Date.UTC(2026, 0, 5, 14, 30),
      scheduledEndMs: Date.UTC(2026, 0, 5, 14, 45),
      referringPhysician: 'HOUSE^GREGORY',
    },
    controlId: 'C42',
    nowMs: identity.clockStartMs,
    rng: createRng('cues', seed),
    run: { seed: 7, namespace: 3, templateName: 'nightly', iteration: 42, repetition: 0, state: NOTHING_YET },
  };
}

function render(cue: string, options?: CueCompilerOptions, seed?: number): string {
  const result = createCueCompiler(options)(cue);
  assert.ok(result.ok, result.ok ? '' : `${cue}: ${result.message}`);
  return result.render(createContext(seed));
}

function refusal(cue: string, options?: CueCompilerOptions): string {
  const result = createCueCompiler(options)(cue);
  assert.ok(!result.ok, `${cue} was accepted`);
  return result.message;
}

describe('a named cue', () => {
  const { order } = createContext();
  const cases: [cue: string, expected: string][] = [
    ['Patient.MRN', patient.mrn],
    ['Person.LastName', 'ZZTEST-O\u2019DOE'],
    ['Person.FirstName', 'JANE'],
    ['Person.DOB', patient.birthDate],
    ['Order.AccessionNumber', 'ACC00000042'],
    ['Context.AccessionNumber', 'ACC00000042'],
    ['Order.PlacerOrderNumber', order.placerOrderNumber],
    ['Context.PlacerOrderNumber', order.placerOrderNumber],
    ['Order.StudyDescription', order.procedures[0].procedure.description],
    ['Context.StudyDescription', order.procedures[0].procedure.description],
    ['Order.Modality', 'CT'],
    ['Context.Modality', 'CT'],
    ['Order.StudyInstanceUid', order.procedures[0].studyInstanceUid],
    ['Order.ReferringFirstName', 'GREGORY'],
    ['Context.MessageControlId', 'C42'],
    ['Context.MessageTimestamp', '20260105080910'],
    ['Context.ScheduledStart', '20260105143000'],
    ['Context.ScheduledEnd', '20260105144500'],
    ["Context.ScheduledStart.strftime('%Y%m%d')", '20260105'],
    ['Context.ScheduledStart.strftime("%I:%M %p, %A %d %b %y %j%%")', '02:30 PM, Monday 05 Jan 26 005%'],
  ];
  for (const [cue, expected] of cases) {
    it(`${cue} is ${expected}`, () => {
      assert.equal(render(cue), expected);
    });
  }

  it('PACS.AccessionInOBR2 and OBR3 give the number where the step reads it, and nothing elsewhere', () => {
    assert.equal(render('PACS.AccessionInOBR3'), 'ACC00000042');
    assert.equal(render('PACS.AccessionInOBR2'), '');
    assert.equal(render('PACS.AccessionInOBR2', { accessionField: 'OBR-2' }), 'ACC00000042');
    assert.equal(render('PACS.AccessionInOBR3', { accessionField: 'OBR.2' }), '');
  });

  it('that is not known is refused with the names of its group', () => {
    assert.match(refusal('Patient.MNR'), /not known; Patient has MRN$/);
    assert.match(refusal('Context.Scheduled'), /Context has .*MessageTimestamp.*ScheduledStart/);
    assert.match(refusal("Patient.MRN.strftime('%Y')"), /not known/);
    assert.match(refusal("Context.ScheduledStart.strftime('%Q')"), /does not know %Q/);
    assert.match(refusal('Context.ScheduledStart.strftime()'), /format/);
    assert.match(refusal("Context.ScheduledStart.isoformat('x')"), /not known/);
  });
});

describe('a dotted path into the run context', () => {
  const { order } = createContext();
  const context: RenderContext = createContext();
  const said = (cue: string, state: Partial<RunContext['state']>): string => {
    const result = createCueCompiler()(cue);
    assert.ok(result.ok, cue);
    return result.render({ ...context, run: { ...context.run, state: { ...NOTHING_YET, ...state } } });
  };

  it('tells of the run and the patient', () => {
    assert.equal(render('run.seed'), '7');
    assert.equal(render('run.namespace'), '3');
    assert.equal(render('run.template'), 'nightly');
    assert.equal(render('run.patient'), '42');
    assert.equal(render('run.repetition'), '1');
    assert.equal(render('patient.last_name'), 'zztest-O\u2019Doe');
    assert.equal(render('patient.id'), patient.mrn);
  });

  it('is what the worklist says, else what a message said, else what was drawn', () => {
    assert.equal(render('order.study_instance_uid'), order.procedures[0].studyInstanceUid);
    const silent = readOrderContext('MSH|^~\\&|A|B|C|D|20260105||ORM^O01|1|T|2.5.1\rPID|1', 'OBR.3');
    const orderContext = { ...silent, accessionNumber: 'ACC1', patientName: 'ROE^RICHARD' };
    const worklistItem = { ...silent, accessionNumber: null, studyInstanceUid: '1.2.3' };
    assert.equal(said('order.accession_number', { orderContext, worklistItem }), 'ACC1');
    assert.equal(said('order.study_instance_uid', { orderContext, worklistItem }), '1.2.3');
    assert.equal(said('order.modality', { orderContext, worklistItem }), 'CT');
    assert.equal(said('patient.last_name', { orderContext }), 'ROE');
    assert.equal(said('patient.first_name', { orderContext }), 'RICHARD');
  });

  it('is empty for what has not happened yet', () => {
    assert.equal(render('message.control_id'), '');
    assert.equal(said('message.control_id', { message: { text: '', controlId: 'C41' } }), 'C41');
    assert.equal(render('performed_step.status'), '');
    const performedStep = { sopInstanceUid: '1.9', status: 'COMPLETED', mayHaveArrived: true } as const;
    assert.equal(said('performed_step.status', { performedStep }), 'COMPLETED');
    assert.equal(said('performed_step.sop_instance_uid', { performedStep }), '1.9');
  });

  it('that is not known is refused with the names of its group, or the groups', () => {
    assert.match(refusal('order.acession'), /order has accession_number, .*station_ae_title$/);
    assert.match(refusal('secret.word'), /names begin with Patient, .*run, patient, order/);
    for (const cue of ['run.constructor', 'constructor.name', 'run.seed.toString'])
      assert.match(refusal(cue), /not known/);
  });
});

describe('a Faker call', () => {
  const cases: [cue: string, shape: RegExp][] = [
    ['random_number(digits=8, fix_len=True)', /^[1-9]\d{7}$/],
    ['random_number(8)', /^\d{1,8}$/],
    ['random_number', /^\d{1,9}$/],
    ['random_int(min=10, max=20, step=5)', /^(10|15|20)$/],
    ['random_int(-3, -3)', /^-3$/],
    ['random_digit_not_null()', /^[1-9]$/],
    ["random_element(elements=('A','B'))", /^[AB]$/],
    ["random_element(['A', 2,])", /^(A|2)$/],
    ["random_element('XY')", /^[XY]$/],
    ["random_element(('AB'))", /^[AB]$/],
    ["random_element(('AB',))", /^AB$/],
    ["numerify('####')", /^\d{4}$/],
    ["numerify(text='A%-!@')", /^A[1-9]-\d?[1-9]?$/],
    ["lexify('??', letters='AB')", /^[AB]{2}$/],
    ["bothify('??-##')", /^[A-Za-z]{2}-\d\d$/],
    ["hexify('^^^^', upper=True)", /^[0-9A-F]{4}$/],
    ['uuid4()', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
    ['boolean(chance_of_getting_true=0)', /^False$/],
    ["date_time_this_year().strftime('%Y')", /^2026$/],
    ['date_time_this_year', /^2026-01-0[1-5] \d\d:\d\d:\d\d$/],
    ['date_this_month(before_now=False, after_now=True)', /^2026-01-\d\d$/],
    ["date_of_birth(minimum_age=18, maximum_age=19).strftime('%Y%m%d')", /^200[5-8]\d{4}$/],
    ["date_between(start_date='-2d', end_date='today')", /^2026-01-0[345]$/],
    ["date_time_between('-1d12h', 'now').strftime('%m%d%H')", /^010[345]\d\d$/],
    ["date_between(start_date='-1M', end_date='-1M')", /^2025-12-05$/],
    ["date(pattern='%Y%m%d')", /^\d{8}$/],
    ['first_name', /^[A-Z]/],
    ['last_name()', /^[A-Z]/],
    ['name()', / /],
    ['city', /^[A-Z]/],
    ['street_address', /^\d+ /],
    ['postcode', /^\d{5}$/],
    ['state_abbr', /^[A-Z]{2}$/],
    ['phone_number', /\d{3}/],
    ['company', /./],
    ['email', /@example\.com$/],
    ['ssn', /^\d{3}-\d\d-\d{4}$/],
  ];
  for (const [cue, shape] of cases) {
    it(`${cue} looks like ${shape}`, () => {
      for (let seed = 0; seed < 20; seed++) assert.match(render(cue, {}, seed), shape);
    });
  }

  it('draws the same from the same seed, and other values from others', () => {
    for (const cue of ['name', 'company', 'uuid4', 'date_time', "bothify('????####')"]) {
      assert.equal(render(cue, {}, 5), render(cue, {}, 5));
      assert.notEqual(render(cue, {}, 5), render(cue, {}, 6));
    }
  });

  it('is plain ASCII', () => {
    const compile = createCueCompiler();
    for (const cue of ['country', 'city', 'name', 'company', 'job', 'street_address']) {
      const result = compile(cue);
      assert.ok(result.ok);
      const context = createContext();
      for (let i = 0; i < 300; i++) assert.match(result.render(context), /^[ -~]+$/);
    }
  });

  const refused: [cue: string, message: RegExp][] = [
    ['seed(1)', /not known; the calls are .*first_name/],
    ['eval("1")', /not known/],
    ['constructor', /not known/],
    ['__class__', /not known/],
    ['toString()', /not known/],
    ['first_name.upper()', /run context|strftime/],
    ['first_name(x)', /a literal/],
    ['first_name("A")', /takes no arguments/],
    ['numerify(__import__("os"))', /a literal/],
    ["numerify('##' + '##')", /\) is expected/],
    ["random_element(elements=['a' for x in y])", /is expected/],
    ['random_element(elements=())', /not empty/],
    ['random_element(elements=(None,))', /strings or numbers/],
    ['random_number(digits="8")', /whole number/],
    ['random_number(digits=80)', /between 1 and 15/],
    ['random_number(size=8)', /"size" is not an argument/],
    ['random_number(8, digits=8)', /twice/],
    ['random_int(min=3, max=1)', /must not exceed/],
    ['random_int(', /is expected at its end/],
    ["date_between(start_date='yesterday')", /no moment/],
    ["uuid4().strftime('%Y')", /no \.strftime/],
    ['date_of_birth(minimum_age=9, maximum_age=1)', /exceed/],
    ["lexify('?', letters='')", /empty/],
    ['', /a name is expected/],
    ['1 + 1', /a name is expected/],
    ['name; name', /nothing more/],
  ];
  for (const [cue, message] of refused) {
    it(`${JSON.stringify(cue)} is refused`, () => {
      assert.match(refusal(cue), message);
    });
  }
});
