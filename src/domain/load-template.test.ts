import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { formatFault, type LoadOptions, loadTemplate, parseTemplate, readTemplate } from './load-template.ts';
import type { Template } from './template.ts';

/** Stands for the HL7 compiler: a line that says `Nope` is at fault. */
const OPTIONS: LoadOptions = {
  checkGenerator: (content) =>
    content
      .split('\n')
      .flatMap((text, i) => (text.includes('Nope') ? [{ line: i + 1, message: 'unknown cue "Nope"' }] : [])),
};

const GENERATORS = `generators:
  order:
    content: |
      MSH|^~\\&|YEETER|TEST|||20260105||ORM^O01^ORM_O01|1|T|2.5.1
      OBR|1
`;

function faultsOf(text: string, options: LoadOptions = OPTIONS): string[] {
  const result = parseTemplate(text, 't.yaml', options);
  return result.ok ? [] : result.faults.map(formatFault);
}

function templateOf(text: string, options: LoadOptions = OPTIONS): Template {
  const result = parseTemplate(text, 't.yaml', options);
  assert.ok(result.ok, result.ok ? '' : result.faults.map(formatFault).join('\n'));
  return result.template;
}

/** A template with these steps, which begin in line 7. */
function withSteps(steps: string): string {
  return `name: t\n${GENERATORS}steps:\n${steps}`;
}

const ORDER = `  - step_type: GENERATE_HL7
    parameters: { generator_template_id: order }
`;
/** A step that ends the performed step. */
const ENDS = (status: string): string =>
  `  - step_type: MPPS_UPDATE\n    parameters: { mpps_status: ${status} }\n`;
const STUDY = '  - step_type: GENERATE_DICOM\n';

/** What the faults of these steps are, in order. */
const FAULTY_STEPS: readonly [name: string, steps: string, expected: readonly RegExp[]][] = [
  [
    'an unknown step type',
    '  - step_type: GENERATE_HL8\n',
    [/8:5 step 1, step_type: .*mean "GENERATE_HL7"\? Known: .*WAIT/],
  ],
  ['a missing step type', '  - parameters: {}\n', [/step 1, step_type: is missing/]],
  ['a step that is no map', '  - hello\n', [/8:5 step 1: must be a step/]],
  ['no steps at all', '  []\n', [/steps: must hold at least one step/]],
  [
    'an unknown parameter',
    `${ORDER}  - step_type: SEND_MLLP\n    parameters: { endpont_id: mllp }\n`,
    [/11:19 step 2, parameters\.endpont_id: .*did you mean "endpoint_id"\?/],
  ],
  ['a missing generator', '  - step_type: GENERATE_HL7\n', [/parameters\.generator_template_id: is missing/]],
  [
    'an unknown generator',
    '  - step_type: GENERATE_HL7\n    parameters: { generator_template_id: ordr }\n',
    [/no generator is named "ordr": did you mean "order"\?/],
  ],
  [
    'an unknown endpoint',
    `${ORDER}  - step_type: SEND_MLLP\n    parameters: { endpoint_id: his }\n`,
    [/no endpoint is named "his": known: mllp/],
  ],
  [
    'an endpoint of the wrong type',
    `${ORDER}  - step_type: SEND_MLLP\n    parameters: { endpoint_id: dicom }\n`,
    [/SEND_MLLP needs an endpoint of type MLLP, but "dicom" is DICOM_SCP/],
  ],
  [
    'a performed step that ends without having begun',
    `${STUDY}  - step_type: MPPS_UPDATE\n    parameters: { mpps_status: COMPLETED }\n`,
    [
      /10:19 step 2, parameters\.mpps_status: COMPLETED ends a step that has not begun: put .* IN PROGRESS before/,
    ],
  ],
  [
    'a performed step that ends twice',
    `  - step_type: MPPS_UPDATE\n${STUDY}${ENDS('COMPLETED')}${ENDS('DISCONTINUED')}`,
    [/step 4, parameters\.mpps_status: DISCONTINUED ends a step that has not begun/],
  ],
  [
    'a performed step that begins within another',
    '  - step_type: MPPS_UPDATE\n  - step_type: MPPS_UPDATE\n',
    [/step 2, parameters\.mpps_status: begins a second step while the first is in progress/],
  ],
  [
    'a performed step that completes without images',
    `  - step_type: MPPS_UPDATE\n${ENDS('COMPLETED')}`,
    [/step 2, parameters\.mpps_status: COMPLETED lists the images .* GENERATE_DICOM step before/],
  ],
  [
    'a performed step that is repeated',
    '  - step_type: MPPS_UPDATE\n    repeat: { count: 2 }\n',
    [/step 1, repeat: a performed step begins and ends once: remove repeat/],
  ],
  [
    'a status that no performed step has',
    ENDS('DONE'),
    [/mpps_status: must be one of IN PROGRESS, COMPLETED, DISCONTINUED, not "DONE"/],
  ],
  [
    'a worklist of the wrong type',
    `  - step_type: DMWL_FIND\n    parameters: { endpoint_id: mllp }\n`,
    [/DMWL_FIND needs an endpoint of type DICOM_SCP, but "mllp" is MLLP/],
  ],
  [
    'sending a message before one is made',
    `  - step_type: SEND_MLLP\n${ORDER}`,
    [/8:5 step 1.*GENERATE_HL7 step before/],
  ],
  [
    'sending a study before one is made',
    `  - step_type: SEND_DICOM\n${STUDY}`,
    [/step 1.*GENERATE_DICOM step before/],
  ],
  [
    'a retry on a step that is in no job',
    `${STUDY}    retry: { max_attempts: 2 }\n`,
    [/9:5 step 1, retry: .*in no job/],
  ],
  ['a queue on an inline step', `${STUDY}    queue: q\n`, [/step 1, queue: has no effect on an inline step/]],
  ...['amq.orders', 'ct,mr', 'orders.dlq', 'orders.delay.100', 'ö'.repeat(101)].map(
    (queue): (typeof FAULTY_STEPS)[number] => [
      `"${queue.slice(0, 16)}" for a queue`,
      `${STUDY}    execution: async\n    queue: ${queue}\n`,
      [/step 1, queue: must be a queue's name: 1 to 200 bytes .*"amq\." .*"\.dlq"/],
    ],
  ),
  [
    'burned-in text without pixels',
    `${STUDY}    parameters: { burn_patient_info: true, generate_pixels: false }\n`,
    [/burn_patient_info: contradicts generate_pixels: false/],
  ],
  [
    'numbers out of range',
    `${STUDY}    parameters: { count: 0 }\n  - step_type: SEND_DICOM\n    parameters: { associations: 129 }\n`,
    [
      /step 1, parameters\.count: must be a whole number of images from 1/,
      /step 2, parameters\.associations: must be a whole number from 1 to 128, not 129/,
    ],
  ],
  ['text that is no number', `${STUDY}    parameters: { count: "3.0" }\n`, [/count: must be .* not "3\.0"/]],
  [
    'an unknown modality',
    `${STUDY}    parameters: { modality: XA }\n`,
    [/modality: must be one of CT, MR.*not "XA"/],
  ],
  [
    'a custom field that is not given',
    '  - step_type: GENERATE_HL7\n    parameters: { generator_template_id: order, accession_field: CUSTOM }\n',
    [/accession_field: CUSTOM needs custom_accession_field/],
  ],
  [
    'a custom field that is no field',
    '  - step_type: GENERATE_HL7\n    parameters: { generator_template_id: order, accession_field: CUSTOM, custom_accession_field: here }\n',
    [/custom_accession_field: must be a field like "ZDS\.1"/],
  ],
  [
    'a step order with a gap',
    '  - { step_type: WAIT, step_order: 1 }\n  - { step_type: WAIT, step_order: 3 }\n',
    [/step 2, step_order: must run from 1 to 2/],
  ],
  [
    'one step order twice',
    '  - { step_type: WAIT, step_order: 1 }\n  - { step_type: WAIT, step_order: 1 }\n',
    [/is 1 for two steps/],
  ],
  [
    'a step order on some steps only',
    '  - { step_type: WAIT, step_order: 1 }\n  - { step_type: WAIT }\n',
    [/step 2, step_order: is missing/],
  ],
  [
    'a longest delay below the delay',
    `${STUDY}    execution: async\n    retry: { delay_ms: 10, max_delay_ms: 5 }\n`,
    [/retry\.max_delay_ms: must not be less than delay_ms \(10\)/],
  ],
  [
    'older queue fields without queue_async',
    '  - step_type: GENERATE_HL7\n    parameters: { generator_template_id: order, queue_name: q }\n',
    [/queue_name: has no effect without queue_async/],
  ],
  [
    'a label given twice',
    '  - { step_type: WAIT, label: a, parameters: { label: b } }\n',
    [/label: is given twice/],
  ],
];

/** Steps with one fault, which leaves open what the steps after it are worth. */
const FOLLOWED_STEPS: readonly [name: string, steps: string, expected: RegExp][] = [
  [
    'a step of unknown type before one that sends',
    '  - step_type: GENERATE_HL8\n    step_order: 1\n  - { step_type: SEND_MLLP, step_order: 2 }\n',
    /step 1, step_type: unknown step type/,
  ],
  [
    'a queue of no name on a numbered step',
    `${STUDY}    step_order: 1\n    execution: async\n    queue: a.dlq\n  - { step_type: SEND_DICOM, step_order: 2 }\n`,
    /step 1, queue: must be/,
  ],
  [
    'a step order of no number',
    `${STUDY}    step_order: one\n  - { step_type: SEND_DICOM, step_order: 2 }\n`,
    /step 1, step_order: must be/,
  ],
  [
    'one step order twice, where one makes what the other sends',
    `  - { step_type: SEND_DICOM, step_order: 1 }\n${STUDY}    step_order: 1\n`,
    /step 2, step_order: is 1 for two steps/,
  ],
  [
    'an execution of no kind before a retry',
    `${STUDY}    execution: asink\n  - { step_type: SEND_DICOM, retry: { max_attempts: 2 } }\n`,
    /step 1, execution: must be one of inline, async/,
  ],
  [
    'an older hand-off without its generator before a retry',
    `  - { step_type: GENERATE_HL7, parameters: { queue_async: true } }\n${STUDY}    queue: q\n    retry: { max_attempts: 2 }\n`,
    /step 1, parameters\.generator_template_id: is missing/,
  ],
  [
    'a performed step of no status before its end',
    `  - { step_type: MPPS_UPDATE, parameters: { mpps_status: BEGUN } }\n${ENDS('DISCONTINUED')}`,
    /step 1, parameters\.mpps_status: must be one of/,
  ],
];

describe('a template with', () => {
  for (const [name, steps, expected] of FAULTY_STEPS)
    it(`${name} is refused with the place and what to do`, () => {
      const faults = faultsOf(withSteps(steps));
      assert.equal(faults.length, expected.length, faults.join('\n'));
      for (const [i, pattern] of expected.entries()) assert.match(faults[i]!, pattern);
    });

  for (const [name, steps, expected] of FOLLOWED_STEPS)
    it(`${name} is refused for that alone`, () => {
      const faults = faultsOf(withSteps(steps));
      assert.equal(faults.length, 1, faults.join('\n'));
      assert.match(faults[0]!, expected);
    });

  it('faults in several places lists all of them by line', () => {
    const faults = faultsOf(`name: t
descripton: typo
case_mix: { CT: -1, XX: 2 }
returning_share: 2
endpoints:
  pacs: { endpoint_type: DICOM_SCP, hostname: localhost, port: 70000, ae_title: "A\\\\B" }
  dark: { endpoint_type: DICOM_SCP, hostname: localhost, port: 104 }
stations:
  - { modality: CT, ae_title: "SEVENTEEN LETTERS", destinations: [nowhere] }
generators:
  both: { content: "MSH|", file: x.hl7 }
  none: {}
steps:
  - { step_type: SEND_MLLP }
`);
    const expected = [
      /^t\.yaml:2:1 descripton: unknown field/,
      /^t\.yaml:3:13 case_mix\.CT: must be a number/,
      /^t\.yaml:3:21 case_mix\.XX: unknown field "XX"/,
      /^t\.yaml:4:1 returning_share: must be a number from 0 to 1/,
      /^t\.yaml:6:58 endpoints\.pacs\.port: must be/,
      /^t\.yaml:6:71 endpoints\.pacs\.ae_title: must be an AE title/,
      /^t\.yaml:7:3 endpoints\.dark\.ae_title: is missing/,
      /^t\.yaml:9:21 stations\.0\.ae_title: must be an AE title/,
      /^t\.yaml:11:28 generators\.both\.file: contradicts content/,
      /^t\.yaml:12:3 generators\.none: is empty/,
      /^t\.yaml:14:7 step 1, step_type: nothing to send/,
    ];
    assert.equal(faults.length, expected.length, faults.join('\n'));
    for (const [i, pattern] of expected.entries()) assert.match(faults[i]!, pattern);
  });

  it('a fault in an inline generator names the line of the template', () => {
    const text = `name: t\ngenerators:\n  order:\n    content: |\n      MSH|^~\\&|A|B|||1||ORM^O01\n      OBR|{$Nope}\n${'steps: [{ step_type: WAIT }]\n'}`;
    assert.deepEqual(faultsOf(text), ['t.yaml:6:7 generators.order.content: unknown cue "Nope"']);
  });

  it('a mix of nothing is refused', () => {
    assert.match(
      faultsOf(`${withSteps(STUDY)}case_mix: { CT: 0 }\n`)[0]!,
      /case_mix: gives every modality the share 0/,
    );
  });
});

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
