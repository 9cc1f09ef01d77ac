import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileHeader } from '../dicom/part10.ts';
import { openAssociation } from '../dicom/scu.ts';
import { createDicomSink, DICOM_FAULTS, type DicomSink } from './dicom-sink.ts';
import { parseFaultPlan } from './fault-plan.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';

function open(sink: DicomSink) {
  return openAssociation({
    host: '127.0.0.1',
    port: sink.port,
    calledAeTitle: 'SINK',
    contexts: [{ abstractSyntax: CT, transferSyntaxes: [EXPLICIT] }],
    timeouts: { dimseMs: 1_000, associateMs: 1_000, artimMs: 50 },
  });
}

/** Stores instances 1 to n over one association each time it is needed; answers the codes or statuses. */
async function storeAll(sink: DicomSink, numbers: readonly number[]): Promise<(string | number)[]> {
  const answers: (string | number)[] = [];
  let opened = await open(sink);
  for (const n of numbers) {
    if (opened.ok && !opened.association.isOpen) opened = await open(sink);
    assert.ok(opened.ok, opened.ok ? '' : opened.message);
    const stored = await opened.association.store({
      sopClassUid: CT,
      sopInstanceUid: `1.2.3.${n}`,
      transferSyntaxUid: EXPLICIT,
      parts: [Buffer.alloc(100, n), Buffer.alloc(20_000, n)],
    });
    answers.push(stored.ok ? stored.status : (stored.status ?? stored.code));
  }
  if (opened.ok) await opened.association.close();
  return answers;
}

test('what is kept are Part 10 files with the data sets as they were sent', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'yeeter-dicom-sink-'));
  try {
    await using sink = await createDicomSink({ keepDir: join(folder, 'kept') });
    await storeAll(sink, [1, 2, 2]);
    assert.deepEqual((await readdir(join(folder, 'kept'))).sort(), ['1.2.3.1.dcm', '1.2.3.2.dcm']);
    const meta = { sopClassUid: CT, sopInstanceUid: '1.2.3.1', transferSyntaxUid: EXPLICIT };
    const expected = Buffer.concat([fileHeader(meta), Buffer.alloc(20_100, 1)]);
    assert.ok(expected.equals(await readFile(join(folder, 'kept', '1.2.3.1.dcm'))));
    const { associations, instances, failures, bytes, kept } = await sink.close();
    assert.deepEqual([associations, instances, failures, bytes, kept], [1, 3, 0, 60_300, 3]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('an instance that cannot be kept is refused for now, and the fault is told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'yeeter-dicom-sink-'));
  const faults: string[] = [];
  await using sink = await createDicomSink({ keepDir: folder, onFault: ({ code }) => faults.push(code) });
  await rm(folder, { recursive: true });
  assert.deepEqual(await storeAll(sink, [1]), [0xa700]);
  assert.deepEqual(faults, ['STORAGE_FAILED']);
  const { instances, failures, kept } = await sink.close();
  assert.deepEqual([instances, failures, kept], [0, 1, 0]);
});

test('an instance whose UID is none is refused and does not reach out of the folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'yeeter-dicom-sink-'));
  try {
    await using sink = await createDicomSink({ keepDir: join(folder, 'kept') });
    const opened = await open(sink);
    assert.ok(opened.ok);
    const request = { sopClassUid: CT, sopInstanceUid: '../../escaped', transferSyntaxUid: EXPLICIT };
    const stored = await opened.association.store({ ...request, parts: [Buffer.alloc(10)] });
    assert.equal(!stored.ok && stored.status, 0x0117);
    await opened.association.close();
    assert.deepEqual(await readdir(folder), ['kept']);
    assert.deepEqual(await readdir(join(folder, 'kept')), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the digest depends on what was stored and not on its order', async () => {
  const digestOf = async (numbers: number[]): Promise<string | null> => {
    await using sink = await createDicomSink({ digest: true });
    await storeAll(sink, numbers);
    return (await sink.close()).digest;
  };
  const digest = await digestOf([1, 2, 3]);
  assert.equal(await digestOf([3, 1, 2]), digest);
  assert.notEqual(await digestOf([1, 2, 4]), digest);
  assert.notEqual(await digestOf([1, 2]), digest);
});

test('planned faults strike the stores they were planned for', async () => {
  const cases: [plan: string, answers: (string | number)[]][] = [
    ['status:A700/2', [0, 0xa700, 0]],
    ['status:B000/3', [0, 0, 0xb000]],
    ['abort/2', [0, 'DICOM_ABORTED', 0]],
    ['close/2', [0, 'DICOM_CLOSED', 0]],
    ['silent/3', [0, 0, 'DICOM_TIMEOUT']],
    ['delay:30/1', [0, 0, 0]],
  ];
  for (const [plan, answers] of cases) {
    await using sink = await createDicomSink({ faultPlan: parseFaultPlan(plan, DICOM_FAULTS) });
    assert.deepEqual(await storeAll(sink, [1, 2, 3]), answers, plan);
    const stored = answers.filter((answer) => answer === 0 || answer === 0xb000).length;
    const { instances, failures } = await sink.close();
    assert.deepEqual([instances, failures], [stored, 3 - stored], plan);
  }
});

test('planned faults strike the associations they were planned for', async () => {
  const cases: [plan: string, code: string, retryable: boolean][] = [
    ['reject/2', 'DICOM_ASSOCIATION_REJECTED', true],
    ['reject-for-good/2', 'DICOM_ASSOCIATION_REJECTED', false],
    ['ignore/2', 'DICOM_TIMEOUT', true],
  ];
  for (const [plan, code, retryable] of cases) {
    await using sink = await createDicomSink({ faultPlan: parseFaultPlan(plan, DICOM_FAULTS) });
    const first = await open(sink);
    assert.ok(first.ok);
    await first.association.close();
    const second = await open(sink);
    assert.deepEqual(!second.ok && [second.code, second.retryable], [code, retryable], plan);
  }
});
