import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunIdentity } from '../../src/domain/identity.ts';
import { decodeMessage } from '../../src/hl7/charset.ts';
import { getValue, parseMessage } from '../../src/hl7/message.ts';
import { createDicomSink, DICOM_FAULTS } from '../../src/sink/dicom-sink.ts';
import { parseFaultPlan } from '../../src/sink/fault-plan.ts';
import { createMllpSink, MLLP_FAULTS } from '../../src/sink/mllp-sink.ts';
import { openTestBench, type TestBench, templateFrom } from '../support/run.ts';

interface Variation {
  /** Of the steps from GENERATE_DICOM on. */
  execution?: 'inline' | 'async';
  pixels?: boolean;
  patients?: number;
  concurrency?: number;
  identity?: Partial<RunIdentity>;
  mllpFaults?: string;
  dicomFaults?: string;
  keepDir?: string;
}

/** With pixels as few pictures as can be: drawing them takes longer than all the rest. */
const steps = (execution: string, pixels: boolean): string => `
name: order-to-image
case_mix: {CT: 1${pixels ? '' : ', MR: 1'}}
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - {step_type: SEND_MLLP, parameters: {timeout_ms: 5000}}
  - step_type: GENERATE_DICOM
    execution: ${execution}
    ${execution === 'async' ? 'retry: {max_attempts: 20, delay_ms: 5, backoff: fixed}' : ''}
    parameters: {count: ${pixels ? 1 : 3}, generate_report: true, generate_pixels: ${pixels}}
  - {step_type: SEND_DICOM}
`;

/** All in a job, so that a refused message is sent again before the study is made. */
const ALL_IN_A_JOB = `
name: all-in-a-job
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - step_type: GENERATE_HL7
    execution: async
    retry: {max_attempts: 20, delay_ms: 5, backoff: fixed}
    parameters: {generator_template_id: order}
  - {step_type: SEND_MLLP}
  - {step_type: GENERATE_DICOM, parameters: {count: 2, modality: CT, generate_pixels: false}}
  - {step_type: SEND_DICOM}
`;

interface Trace {
  manifest: string;
  completed: number;
  retries: number;
  messages: string | null;
  instances: string | null;
}

async function trace(bench: TestBench, variation: Variation, text?: string): Promise<Trace> {
  const { execution = 'async', pixels = false, keepDir } = variation;
  await using mllp = await createMllpSink({
    digest: true,
    faultPlan: parseFaultPlan(variation.mllpFaults ?? '', MLLP_FAULTS),
    ...(keepDir === undefined ? {} : { keepDir: join(keepDir, 'hl7') }),
  });
  await using dicom = await createDicomSink({
    digest: true,
    faultPlan: parseFaultPlan(variation.dicomFaults ?? '', DICOM_FAULTS),
    ...(keepDir === undefined ? {} : { keepDir: join(keepDir, 'dicom') }),
  });
  const { totals } = await bench.run({
    template: templateFrom(text ?? steps(execution, pixels)),
    patients: variation.patients ?? 40,
    concurrency: variation.concurrency ?? 8,
    identity: variation.identity ?? {},
    mllpPort: mllp.port,
    dicomPort: dicom.port,
  });
  return {
    manifest: totals.manifestSha256,
    completed: totals.completed,
    retries: totals.attempts - totals.jobs,
    messages: (await mllp.close()).digest,
    instances: (await dicom.close()).digest,
  };
}

/** Every file below a folder by its name. */
async function filesIn(folder: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(folder)).toSorted();
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return new Map(names.map((name, at) => [name, contents[at]!]));
}

describe('two runs', () => {
  let bench: TestBench;
  let folder: string;
  let first: Trace;
  before(async () => {
    bench = await openTestBench();
    folder = await mkdtemp(join(tmpdir(), 'yeeter-determinism-'));
    first = await trace(bench, {});
    assert.equal(first.completed, 40);
  });
  after(async () => {
    await bench.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('of the same seed, namespace and clock send the same bytes and have the same manifest', async () => {
    assert.deepEqual(await trace(bench, {}), first);
  });

  it('do so with another concurrency, and inline instead of in jobs', async () => {
    assert.deepEqual(await trace(bench, { concurrency: 1 }), first);
    assert.deepEqual(await trace(bench, { concurrency: 40 }), first);
    assert.deepEqual(await trace(bench, { execution: 'inline' }), first);
  });

  const CHANGES: readonly [string, Partial<RunIdentity>][] = [
    ['seed', { seed: 8 }],
    ['namespace', { namespace: 1 }],
    ['clock', { clockStartMs: Date.UTC(2026, 1, 5, 7) }],
    ['UID root', { uidRoot: '1.2.826.0.1.3680043.10.1' }],
  ];
  for (const [what, identity] of CHANGES) {
    it(`differ in bytes and manifest when their ${what} differs`, async () => {
      const other = await trace(bench, { identity });
      assert.equal(other.completed, 40);
      assert.notEqual(other.manifest, first.manifest);
      assert.notEqual(other.messages, first.messages);
      assert.notEqual(other.instances, first.instances);
    });
  }

  for (const plan of ['reject/3', 'status:A700/5', 'abort/7', 'close/7']) {
    it(`have the same manifest when storing has to be tried again ("${plan}")`, async () => {
      const retried = await trace(bench, { dicomFaults: plan });
      assert.ok(retried.retries > 0);
      assert.equal(retried.completed, 40);
      assert.equal(retried.manifest, first.manifest);
      assert.equal(retried.messages, first.messages);
    });
  }

  it('have the same manifest when a message has to be sent again before the study is made', async () => {
    const smooth = await trace(bench, {}, ALL_IN_A_JOB);
    const retried = await trace(bench, { mllpFaults: 'AE/3' }, ALL_IN_A_JOB);
    assert.ok(retried.retries > 0);
    assert.equal(retried.completed, 40);
    assert.equal(retried.manifest, smooth.manifest);
    assert.equal(retried.instances, smooth.instances);
  });

  it('leave the same files, pixels and all, and share no identifier across namespaces', async () => {
    const small = { pixels: true, patients: 2 };
    const kept = async (name: string, identity: Partial<RunIdentity>): Promise<Map<string, Buffer>[]> => {
      const keepDir = join(folder, name);
      await trace(bench, { ...small, identity, keepDir });
      return [await filesIn(join(keepDir, 'hl7')), await filesIn(join(keepDir, 'dicom'))];
    };
    const [messages, instances] = await kept('one', {});
    assert.deepEqual([messages!.size, instances!.size], [2, 4]);
    assert.deepEqual(await kept('again', {}), [messages, instances]);

    const [otherMessages, otherInstances] = await kept('other', { namespace: 1 });
    const own = identifiersIn(messages!, instances!);
    const others = identifiersIn(otherMessages!, otherInstances!);
    assert.equal(own.size, others.size);
    assert.deepEqual(
      [...own].filter((id) => others.has(id)),
      [],
    );
  });
});

const IDENTIFIERS = ['MSH-10', 'PID-3.1', 'ORC-2.1', 'ORC-3.1', 'OBR-3.1', 'OBR-19.1', 'OBR-20.1', 'ZDS-1.1'];

/** What names messages, patients, orders, studies and instances. */
function identifiersIn(
  messages: ReadonlyMap<string, Buffer>,
  instances: ReadonlyMap<string, Buffer>,
): Set<string> {
  const ids = new Set(instances.keys());
  for (const content of messages.values()) {
    const message = parseMessage(decodeMessage(content));
    for (const path of IDENTIFIERS) {
      const value = getValue(message, path);
      assert.ok(value, `${path} is empty`);
      ids.add(value);
    }
  }
  return ids;
}
