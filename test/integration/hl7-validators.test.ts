import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { controlId } from '../../src/domain/control-id.ts';
import { orderAt } from '../../src/domain/orders.ts';
import { patientAt } from '../../src/domain/population.ts';
import { encodeMessage } from '../../src/hl7/charset.ts';
import { compileGenerator } from '../../src/hl7/generator-compiler.ts';
import { getValue, parseMessage } from '../../src/hl7/message.ts';
import { createRng } from '../../src/lib/rng.ts';
import { createCueCompiler } from '../../src/steps/cues/compile-cue.ts';
import type { RenderContext } from '../../src/steps/cues/render-context.ts';
import { readOrderContext } from '../../src/steps/order-context.ts';
import { findFaults } from '../support/hl7-grammar.ts';
import { testRunContext } from '../support/job.ts';

const GENERATORS = join(import.meta.dirname, '../../examples/generators');
const PATIENTS = 50;

const identity = { seed: 11, namespace: 3, clockStartMs: Date.UTC(2026, 0, 5, 8), uidRoot: null };

/** Every modality comes up in the orders. */
const source = {
  caseMix: { CT: 1, MR: 1, DX: 1, CR: 1, US: 1, MG: 1, RF: 1, NM: 1, PT: 1 },
  stations: [],
  steps: [],
};

function contextOf(iteration: number): RenderContext {
  const patient = patientAt(identity, iteration - 1);
  const order = orderAt(identity, iteration, patient, source);
  return {
    patient,
    order,
    controlId: controlId(identity, iteration, 1, 0),
    nowMs: order.requestedAtMs,
    rng: createRng('hl7', identity.seed, iteration),
    run: testRunContext(iteration),
  };
}

const contexts = Array.from({ length: PATIENTS }, (_, i) => contextOf(i + 1));

async function renderAll(file: string): Promise<string[]> {
  const compiled = compileGenerator(await readFile(join(GENERATORS, file), 'utf8'), createCueCompiler());
  assert.ok(compiled.ok, JSON.stringify(compiled));
  return contexts.map((context) =>
    compiled.generator.render({ ...context, rng: createRng('hl7', context.order.accessionNumber) }),
  );
}

/** Parses each file with python3-hl7 and says which do not serialise to the same text, or have no MSH-10. */
const PYTHON = `
import sys, hl7
for path in sys.argv[1:]:
    text = open(path, newline='', encoding='utf-8').read()
    message = hl7.parse(text)
    if str(message) != text: print(path, 'differs')
    if not str(message.segment('MSH')[10]): print(path, 'has no control id')
`;

async function pythonFaults(messages: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'yeeter-hl7-'));
  try {
    const paths = messages.map((_, i) => join(folder, `${i}.hl7`));
    await Promise.all(paths.map((path, i) => writeFile(path, encodeMessage(messages[i]!))));
    return (await promisify(execFile)('/usr/bin/python3', ['-c', PYTHON, ...paths])).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const files = (await readdir(GENERATORS)).filter((file) => file.endsWith('.hl7'));

describe('the example generators', () => {
  it('are those that the documentation names', () => {
    assert.deepEqual(files.toSorted(), [
      'adt-a04.hl7',
      'adt-a08.hl7',
      'omg-o19.hl7',
      'omi-o23.hl7',
      'orm-o01-2.3.1.hl7',
      'orm-o01.hl7',
      'oru-r01.hl7',
      'siu-s12.hl7',
    ]);
  });

  for (const file of files) {
    it(`${file} renders messages that hl7-dictionary finds no fault with`, async () => {
      for (const text of await renderAll(file)) assert.deepEqual(findFaults(parseMessage(text)), [], text);
    });

    it(`${file} renders messages that python3-hl7 reads and writes unchanged`, async () => {
      assert.equal(await pythonFaults(await renderAll(file)), '');
    });

    it(`${file} names the patient, marked as a test, and the order`, async () => {
      for (const [i, text] of (await renderAll(file)).entries()) {
        const { patient, order } = contexts[i]!;
        const message = parseMessage(text);
        assert.equal(getValue(message, 'MSH-11'), 'T');
        assert.equal(getValue(message, 'PID-3.1'), patient.mrn);
        assert.equal(getValue(message, 'PID-3.4'), 'YEETER');
        assert.equal(getValue(message, 'PID-5.1'), patient.lastName);
        if (!/^(?:adt|siu)/.test(file)) checkOrder(text, order);
      }
    });
  }

  it('render the same bytes from the same context', async () => {
    for (const file of files) assert.deepEqual(await renderAll(file), await renderAll(file));
  });
});

describe('the check against hl7-dictionary', () => {
  const header = 'MSH|^~\\&|A|B|C|D|2026||ORM^O01^ORM_O01|1|T|2.5.1';
  const cases: [segments: string, fault: RegExp][] = [
    ['PV1|1|O\rPID|1||1||A\rORC|NW', /order/],
    ['PID|1||1||A', /order/],
    ['PID|1||1\rORC|NW', /PID-5 Patient Name is required/],
    ['PID|x||1||A\rORC|NW', /PID-1 .* is no SI/],
    ['PID|1||1||A||1999-01-01\rORC|NW', /PID-7.* is no DTM/],
    ['PID|1||1||A\rPV1|1|OP\rORC|NW', /PV1-2 .* longer than 1/],
    ['PID|1||1||A\rORC|QQ', /ORC-1 .* not in table 119/],
    ['PID|1||1||A||||^&\rORC|NW~CA', /ORC-1 .* may not repeat/],
  ];
  for (const [segments, fault] of cases) {
    it(`finds the fault of ${JSON.stringify(segments)}`, () => {
      assert.match(findFaults(parseMessage(`${header}\r${segments}\r`)).join('; '), fault);
    });
  }
});

function checkOrder(text: string, order: RenderContext['order']): void {
  const context = readOrderContext(text, 'OBR.3');
  const [first] = order.procedures;
  assert.equal(context.accessionNumber, order.accessionNumber);
  assert.equal(context.placerOrderNumber, order.placerOrderNumber);
  assert.equal(context.modality, first.procedure.modality);
  assert.equal(context.studyDescription, first.procedure.description);
  assert.equal(context.requestedProcedureId, first.requestedProcedureId);
  assert.equal(context.scheduledProcedureStepId, first.scheduledProcedureStepId);
  // An OMG^O19 goes to the order filler, which assigns the UID later.
  if (!text.includes('OMG^O19')) assert.equal(context.studyInstanceUid, first.studyInstanceUid);
  if (text.includes('OMI^O23')) assert.equal(context.stationAeTitle, order.stationAeTitle);
}
