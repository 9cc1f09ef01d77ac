import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { faultsOf, OPTIONS, ORDER, STUDY, templateOf, withSteps } from '../../test/support/template-text.ts';
import { loadTemplate, parseTemplate, readTemplate } from './load-template.ts';

describe('a template', () => {
  it('gets defaults for what it leaves out', () => {
    const template = templateOf(
      withSteps(
        `${ORDER}  - step_type: SEND_MLLP\n${STUDY}    execution: async\n  - step_type: SEND_DICOM\n  - step_type: WAIT\n`,
      ),
    );
    assert.equal(template.onFailure, 'fail_run');
    assert.deepEqual(template.generators.order!.messageType, 'ORM^O01');
    const [order, send, study, store, wait] = template.steps;
    assert.deepEqual(order!.parameters, { generator: 'order', accessionField: 'OBR.3' });
    assert.deepEqual(send!.parameters, { endpoint: 'mllp', timeoutMs: 10_000 });
    assert.equal(send!.retry, null);
    assert.equal(study!.queue, 'yeeter.simulation.orders');
    assert.deepEqual(study!.retry, { maxAttempts: 3, delayMs: 5000, backoff: 'fixed', maxDelayMs: 300_000 });
    assert.deepEqual(store!.parameters, {
      endpoint: 'dicom',
      associations: 1,
      maxInFlight: 1,
      timeoutMs: 30_000,
    });
    assert.deepEqual(study!.parameters, {
      count: 10,
      modality: null,
      studyDescription: null,
      generatePixels: true,
      burnPatientInfo: false,
      generateReport: false,
      store: 'stream',
    });
    assert.deepEqual(wait!.parameters, { durationSeconds: 1 });
    assert.deepEqual(
      template.steps.map((step) => step.stepOrder),
      [1, 2, 3, 4, 5],
    );
  });

  it('reads the accession number where its step says', () => {
    const fieldOf = (parameters: string): unknown =>
      templateOf(
        withSteps(
          ORDER.replace('generator_template_id: order', `generator_template_id: order, ${parameters}`),
        ),
      ).steps[0]!.parameters;
    const generator = 'order';
    assert.deepEqual(fieldOf('accession_field: ORC.2'), { generator, accessionField: 'ORC.2' });
    const custom = fieldOf('accession_field: CUSTOM, custom_accession_field: ZDS.2');
    assert.deepEqual(custom, { generator, accessionField: 'ZDS.2' });
  });

  it('may give integers as strings of digits', () => {
    const [wait] = templateOf(
      'name: t\nsteps: [{ step_type: WAIT, parameters: { repeat: { count: "3" }, duration_seconds: "2" } }]',
    ).steps;
    assert.equal(wait!.repeat.count, 3);
    assert.deepEqual(wait!.parameters, { durationSeconds: 2 });
  });

  it('may be JSON with tabs', () => {
    const text = '{\n\t"name": "t",\n\t"steps": [\n\t\t{ "step_type": "WAIT" }\n\t]\n}\n';
    assert.equal(templateOf(text).steps.length, 1);
  });

  it('may retry an inline step inside a job', () => {
    const template = templateOf(
      withSteps(`${STUDY}    execution: async\n  - step_type: SEND_DICOM\n    retry: { max_attempts: 2 }\n`),
    );
    assert.equal(template.steps[1]!.retry!.maxAttempts, 2);
  });

  it('has its steps sorted by step_order', () => {
    const text =
      'name: t\nsteps:\n  - { step_type: SEND_DICOM, step_order: 2 }\n  - { step_type: GENERATE_DICOM, step_order: 1 }\n';
    assert.deepEqual(
      templateOf(text).steps.map((step) => step.stepType),
      ['GENERATE_DICOM', 'SEND_DICOM'],
    );
  });

  it('in the older spelling makes what follows GENERATE_HL7 async', () => {
    const parameters =
      'generator_template_id: order, queue_async: true, queue_name: slow, async_max_attempts: "5", retry_delay_ms: 0';
    const [order, send] = templateOf(
      withSteps(
        `  - step_type: GENERATE_HL7\n    parameters: { ${parameters}, queue_metadata: { a: 1 } }\n  - step_type: SEND_MLLP\n`,
      ),
    ).steps;
    assert.equal(order!.execution, 'inline');
    assert.equal(send!.execution, 'async');
    assert.equal(send!.queue, 'slow');
    assert.deepEqual(send!.metadata, { a: 1 });
    assert.deepEqual(send!.retry, { maxAttempts: 5, delayMs: 0, backoff: 'fixed', maxDelayMs: 300_000 });
  });

  it('read by the server may hold unknown fields', () => {
    const text = withSteps(`${ORDER}    colour: blue\n    queue: q\n`);
    assert.equal(faultsOf(text).length, 2);
    assert.deepEqual(faultsOf(text, { ...OPTIONS, strict: false }), []);
  });

  it('may replace the built-in endpoints and stations by its own', () => {
    const template = templateOf(`name: t
endpoints:
  dicom: { endpoint_type: DICOM_SCP, hostname: localhost, port: "104", ae_title: ARCHIVE, aet_title: "" }
stations:
  - { modality: CT, ae_title: CT_EAST, destinations: [dicom], cadence_ms: 50, association: series }
steps:
  - { step_type: GENERATE_DICOM }
  - { step_type: SEND_DICOM }
`);
    assert.deepEqual(template.endpoints.dicom, {
      name: 'dicom',
      endpointType: 'DICOM_SCP',
      hostname: 'localhost',
      port: 104,
      aeTitle: 'ARCHIVE',
      callingAeTitle: null,
    });
    const [station] = template.stations;
    assert.equal(station!.aeTitle, 'CT_EAST');
    assert.equal(station!.manufacturer, 'Yeeter');
    assert.equal(station!.cadenceMs, 50);
  });
});

describe('any text', () => {
  const keys = [
    'name',
    'steps',
    'endpoints',
    'generators',
    'stations',
    'case_mix',
    'retry',
    'parameters',
    '__proto__',
  ];
  const values = fc.letrec((tie) => ({
    leaf: fc.oneof(fc.constantFrom(null, true, 'WAIT', 'SEND_DICOM', 'CT', -1, 2.5), fc.string()),
    node: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(
        fc.oneof(fc.constantFrom(...keys, 'step_type', 'repeat', 'content'), fc.string()),
        tie('node'),
        {
          maxKeys: 4,
        },
      ),
    ),
  })).node;

  it('gives a template or faults that lie within it, never an exception', () => {
    const template = fc.record(Object.fromEntries(keys.slice(0, 6).map((key) => [key, values])), {
      requiredKeys: [],
    });
    fc.assert(
      fc.property(
        fc.oneof(
          template.map((value) => JSON.stringify(value, null, 1)),
          fc.string(),
        ),
        (text) => {
          const result = parseTemplate(text, 't.yaml', OPTIONS);
          if (result.ok) return;
          assert.ok(result.faults.length > 0);
          const lines = text.split('\n').length;
          for (const { line, column } of result.faults)
            assert.ok(line >= 1 && line <= lines + 1 && column >= 1);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('may use anchors and aliases, and faults behind them have their place', () => {
    const text =
      'name: t\nsteps:\n  - &w { step_type: WAIT, parameters: { duration_seconds: -1 } }\n  - *w\n';
    assert.deepEqual(
      faultsOf(text).map((fault) => fault.slice(0, 40)),
      ['t.yaml:3:41 step 1, parameters.duration_', 't.yaml:3:41 step 2, parameters.duration_'],
    );
  });
});

describe('a template file', () => {
  let dir = '';
  before(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'yeeter-template-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  it('that does not exist is unreadable', () => {
    const result = readTemplate(path.join(dir, 'no.yaml'), OPTIONS);
    assert.ok(!result.ok);
    assert.equal(result.code, 'TEMPLATE_UNREADABLE');
    assert.match(result.faults[0]!.message, /no such file/);
  });

  it('that is no YAML is unreadable, with the line', () => {
    const result = parseTemplate('name: t\nsteps: [\n', 't.yaml', OPTIONS);
    assert.ok(!result.ok);
    assert.equal(result.code, 'TEMPLATE_UNREADABLE');
    assert.equal(result.faults[0]!.line, 3);
  });

  it('reads its generators beside it, and their faults name their own lines', () => {
    writeFileSync(path.join(dir, 'good.hl7'), 'MSH|^~\\&|A|B|||1||ADT^A04^ADT_A01|1|T|2.5.1\n');
    writeFileSync(path.join(dir, 'bad.hl7'), 'MSH|^~\\&|A|B|||1||ADT^A04|1|T|2.5.1\nPID|{$Nope}\n');
    const file = path.join(dir, 't.yaml');
    const generators = 'generators:\n  a: { file: ./good.hl7 }\n';
    writeFileSync(file, `name: t\n${generators}steps: [{ step_type: WAIT }]\n`);
    assert.equal(loadTemplate(file, OPTIONS).generators.a!.messageType, 'ADT^A04');
    writeFileSync(
      file,
      `name: t\n${generators}  b: { file: bad.hl7 }\n  c: { file: no.hl7 }\nsteps: [{ step_type: WAIT }]\n`,
    );
    assert.throws(
      () => loadTemplate(file, OPTIONS),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'TEMPLATE_INVALID');
        assert.match(error.message, /has 2 faults:/);
        assert.match(
          error.message,
          /t\.yaml:5:8 generators\.c\.file: generator file .*no\.hl7: there is no such file/,
        );
        assert.match(error.message, /bad\.hl7:2:1 generators\.b\.file: unknown cue/);
        return true;
      },
    );
  });
});
