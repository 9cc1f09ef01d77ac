import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decodeDataSet, text } from '../../src/dicom/dataset-decoder.ts';
import { getValue, type Message, parseMessage } from '../../src/hl7/message.ts';
import { createDicomSink, DICOM_FAULTS, type DicomSinkOptions } from '../../src/sink/dicom-sink.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink } from '../../src/sink/mllp-sink.ts';
import { createOrderBook } from '../../src/sink/order-book.ts';
import { startState } from '../../src/steps/start-state.ts';
import { temporaryFolder } from '../support/child.ts';
import { TEST_IDENTITY } from '../support/job.ts';
import { without } from '../support/programs.ts';
import { openTestBench, type TestBench, type TestRunEnd, templateFrom } from '../support/run.ts';
import { startWlmscpfs, WORKLIST_AE_TITLE, type WorklistFile } from '../support/wlmscpfs.ts';

const GENERATE = `
name: worklist
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
`;
const FIND = `${GENERATE}  - {step_type: DMWL_FIND, parameters: {timeout_ms: 1000}}\n`;
const ORDER_AND_FIND = `${GENERATE}  - {step_type: SEND_MLLP}
  - {step_type: DMWL_FIND}
  - {step_type: GENERATE_DICOM, parameters: {count: 1, generate_pixels: false}}
  - {step_type: SEND_DICOM}
`;

const STUDY_UID = '1.2.826.0.1.3680043.10.999.1';
const accessionNumber = startState(templateFrom(FIND), TEST_IDENTITY, 1).order.accessionNumber;

function findsOf({ totals }: TestRunEnd): { ok: number; failed: number } {
  const series = totals.series.find(({ series: name }) => name === 'worklist_find');
  return { ok: series?.okCount ?? 0, failed: series?.failedCount ?? 0 };
}

const codesOf = ({ totals }: TestRunEnd): string[] => totals.failures.map(({ code }) => code);

/** Runs a program beside this process, whose receivers have to answer it. */
async function run(
  program: string,
  args: string[],
): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) => resolve({ status: error ? 1 : 0, stdout, stderr }));
  });
}

/** Values of elements of a file, as DCMTK reads them. */
function dumped(file: string, ...tags: readonly string[]): string[] {
  const lines = execFileSync('/usr/bin/dcmdump', ['+U8', ...tags.flatMap((tag) => ['+P', tag]), file], {
    encoding: 'utf8',
  });
  return lines.split('\n').flatMap((line) => /\[(.*)\]/.exec(line)?.[1] ?? []);
}

describe('DMWL_FIND', () => {
  let bench: TestBench;
  before(async () => {
    bench = await openTestBench();
  });
  after(() => bench.close());

  async function findAgainst(files: readonly WorklistFile[]): Promise<TestRunEnd> {
    await using worklist = await startWlmscpfs(files);
    const options = { patients: 1, dicomPort: worklist.port, dicomAeTitle: WORKLIST_AE_TITLE };
    return await bench.run({ ...options, template: templateFrom(FIND) });
  }

  it("takes a foreign worklist's item, and the images say what it says", {
    skip: without('dcmtk'),
  }, async () => {
    const keepDir = temporaryFolder();
    await using pacs = await createDicomSink({ keepDir });
    await using worklist = await startWlmscpfs([
      { accessionNumber: 'OTHER', studyInstanceUid: '1.2.3' },
      { accessionNumber, studyInstanceUid: STUDY_UID, patientName: 'ZZTEST-ŁĄKA^ŻANETA' },
    ]);
    const endpoint = `{endpoint_type: DICOM_SCP, hostname: 127.0.0.1, port: ${worklist.port}, ae_title: RIS}`;
    const end = await bench.run({
      template: templateFrom(`endpoints: {ris: ${endpoint}}${GENERATE}
  - {step_type: DMWL_FIND, parameters: {endpoint_id: ris}}
  - step_type: GENERATE_DICOM
    execution: async
    parameters: {count: 1, generate_pixels: false}
  - {step_type: SEND_DICOM}
`),
      patients: 1,
      dicomPort: pacs.port,
    });
    assert.deepEqual(codesOf(end), []);
    assert.equal(end.totals.completed, 1);
    assert.deepEqual(findsOf(end), { ok: 1, failed: 0 });
    const [file] = readdirSync(keepDir);
    const tags = ['0008,0050', '0008,0060', '0008,1030', '0010,0010', '0010,0020', '0010,0030', '0020,000d'];
    assert.deepEqual(
      new Set(dumped(path.join(keepDir, file!), ...tags)),
      new Set([
        accessionNumber,
        'MR',
        'MR knee left',
        'ZZTEST-ŁĄKA^ŻANETA',
        'WL-4711',
        '19610417',
        STUDY_UID,
      ]),
    );
    assert.deepEqual(dumped(path.join(keepDir, file!), '0040,1001', '0040,0009', '0008,1010'), [
      'WL-RP-1',
      'WL-SPS-1',
      'MR_ROOM_9',
    ]);
    rmSync(keepDir, { recursive: true });
  });

  it('fails for good when several items match', { skip: without('dcmtk') }, async () => {
    const end = await findAgainst([
      { accessionNumber, studyInstanceUid: '1.2.3' },
      { accessionNumber, studyInstanceUid: '1.2.4' },
      { accessionNumber, studyInstanceUid: '1.2.5' },
    ]);
    assert.deepEqual(codesOf(end), ['WORKLIST_SEVERAL']);
    assert.deepEqual(findsOf(end), { ok: 0, failed: 1 });
  });

  it('fails when no item matches', { skip: without('dcmtk') }, async () => {
    const end = await findAgainst([{ accessionNumber: 'OTHER', studyInstanceUid: '1.2.3' }]);
    assert.deepEqual(codesOf(end), ['WORKLIST_NO_MATCH']);
    assert.deepEqual(findsOf(end), { ok: 0, failed: 1 });
  });

  it('is tried again in a job when the item is not there yet', async () => {
    const orders = createOrderBook();
    let asked = 0;
    await using mllp = await createMllpSink({ onAccepted: orders.take });
    await using dicom = await createDicomSink({
      orders: { ...orders, find: (request) => (++asked < 3 ? { status: 0 } : orders.find(request)) },
    });
    const retry = 'execution: async, retry: {max_attempts: 5, delay_ms: 10}';
    const end = await bench.run({
      template: templateFrom(ORDER_AND_FIND.replace('DMWL_FIND', `DMWL_FIND, ${retry}`)),
      patients: 1,
      mllpPort: mllp.port,
      dicomPort: dicom.port,
    });
    assert.equal(end.totals.completed, 1);
    assert.deepEqual(findsOf(end), { ok: 1, failed: 2 });
  });

  it('finds in the built-in worklist the orders that were sent to the built-in receiver', async () => {
    const orders = createOrderBook();
    await using mllp = await createMllpSink({ onAccepted: orders.take });
    await using dicom = await createDicomSink({ orders });
    const end = await bench.run({
      template: templateFrom(ORDER_AND_FIND),
      patients: 20,
      mllpPort: mllp.port,
      dicomPort: dicom.port,
    });
    assert.deepEqual(codesOf(end), []);
    assert.equal(end.totals.completed, 20);
    assert.deepEqual(findsOf(end), { ok: 20, failed: 0 });
    assert.equal(dicom.counts().finds, 20);
    assert.equal(dicom.counts().instances, 20);
  });

  it('asks for the accession number that the message names, and a later message can say what was found', async () => {
    const orders = createOrderBook();
    const messages: Message[] = [];
    const asked: string[] = [];
    await using mllp = await createMllpSink({
      onAccepted: (message) => {
        messages.push(parseMessage(message.toString()));
        orders.take(message);
      },
    });
    await using dicom = await createDicomSink({
      orders: {
        ...orders,
        find: (request) => {
          asked.push(text(decodeDataSet(request.dataSet!, 'explicit'), 'AccessionNumber') ?? '');
          return orders.find(request);
        },
      },
    });
    const head = 'MSH|^~\\&|A|B|C|D|{$Faker.Context.MessageTimestamp}||';
    const end = await bench.run({
      template: templateFrom(`
name: own numbers
generators:
  order:
    content: |
      ${head}ORM^O01|{$Faker.Context.MessageControlId}|T|2.5.1
      PID|1||{$Faker.Patient.MRN}||ZZTEST^A
      ORC|NW|P1
      OBR|1|P1|{$Faker.numerify('OWN#######')}|X^CT head
      ZDS|1.2.3.{$Faker.run.patient}
  result:
    content: |
      ${head}ORU^R01|{$Faker.Context.MessageControlId}|T|2.5.1
      PID|1||{$Faker.patient.id}||ZZTEST^A
      OBR|1||{$Faker.order.accession_number}|{$Faker.order.study_description}
      ZDS|{$Faker.order.study_instance_uid}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP}
  - {step_type: DMWL_FIND}
  - {step_type: GENERATE_HL7, execution: async, parameters: {generator_template_id: result}}
  - {step_type: SEND_MLLP}
`),
      ...{ patients: 3, mllpPort: mllp.port, dicomPort: dicom.port },
    });
    assert.deepEqual(codesOf(end), []);
    const told = (type: string, ...fields: string[]) =>
      messages
        .filter((message) => getValue(message, 'MSH-9.1') === type)
        .map((message) => fields.map((field) => getValue(message, field)).join(' '))
        .toSorted();
    const ordered = told('ORM', 'PID-3', 'OBR-3', 'OBR-4.2', 'ZDS-1');
    assert.match(ordered[0]!, /^\d{8} OWN\d{7} CT head 1\.2\.3\.[123]$/);
    assert.equal(new Set(ordered).size, 3);
    assert.deepEqual(told('ORU', 'PID-3', 'OBR-3', 'OBR-4', 'ZDS-1'), ordered);
    assert.deepEqual(asked.toSorted(), told('ORM', 'OBR-3'));
  });

  it('answers a foreign modality with the orders that came', { skip: without('dcmtk') }, async () => {
    const orders = createOrderBook();
    await using mllp = await createMllpSink({ onAccepted: orders.take });
    await using dicom = await createDicomSink({ orders });
    const template = templateFrom(`${GENERATE}  - {step_type: SEND_MLLP}\n`);
    await bench.run({ template, patients: 3, mllpPort: mllp.port });
    const keys = [`0008,0050=${accessionNumber}`, '0010,0010', '0020,000d', '0040,0100[0].0008,0060'];
    const { status, stderr, stdout } = await run('/usr/bin/findscu', [
      ...['-W', '-aet', 'CT_ROOM_1', ...keys.flatMap((key) => ['-k', key])],
      ...['127.0.0.1', String(dicom.port)],
    ]);
    assert.equal(status, 0, stderr);
    const text = stdout + stderr;
    assert.equal(text.match(/\(0008,0050\) SH \[ACC\d{8} *\]/g)?.length, 1);
    assert.ok(text.includes(accessionNumber));
    assert.match(text, /\(0010,0010\) PN \[ZZTEST/);
  });

  const REFUSALS: readonly [what: string, options: DicomSinkOptions, code: string][] = [
    ['rejects the association', { aeTitle: 'SOMEBODY' }, 'DICOM_ASSOCIATION_REJECTED'],
    [
      'rejects the association for now',
      { faultPlan: parseFaultPlan('reject/1', DICOM_FAULTS) },
      'DICOM_ASSOCIATION_REJECTED',
    ],
    ['has no worklist', {}, 'DICOM_CONTEXT_REFUSED'],
    ['never answers the query', { orders: { take: () => {}, find: () => 'silent' } }, 'DICOM_TIMEOUT'],
    [
      'answers with a failure',
      { orders: { take: () => {}, find: () => ({ status: 0xc001, errorComment: 'no database' }) } },
      'DICOM_FIND_FAILED',
    ],
    [
      'answers with garbage',
      { orders: { take: () => {}, find: () => ({ status: 0, matches: [Buffer.alloc(30, 7)] }) } },
      'DICOM_DATASET',
    ],
  ];
  for (const [what, options, code] of REFUSALS) {
    it(`fails with ${code} when the peer ${what}`, async () => {
      await using sink = await createDicomSink(options);
      const end = await bench.run({ template: templateFrom(FIND), patients: 1, dicomPort: sink.port });
      assert.deepEqual(codesOf(end), [code]);
      assert.equal(end.totals.failed, 1);
    });
  }
});
