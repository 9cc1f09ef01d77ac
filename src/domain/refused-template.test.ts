import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ENDS, faultsOf, ORDER, STUDY, withSteps } from '../../test/support/template-text.ts';

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
