import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decodeMessage } from '../../src/hl7/charset.ts';
import { getValue, type Message, parseMessage } from '../../src/hl7/message.ts';
import { yeeter } from '../support/cli.ts';
import { startOrthanc, startPythonHl7Receiver, startStorescp, without } from '../support/services.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/templates/order-to-image.yaml', import.meta.url));
const GENERATOR = fileURLToPath(new URL('../../examples/generators/orm-o01.hl7', import.meta.url));

interface RunJson {
  status: string;
  started_iterations: number;
  totals: {
    completed: number;
    failed: number;
    cancelled: number;
    dicom: Record<'attempted_instances' | 'success_instances' | 'success_bytes', number>;
  };
  series: { series: string; count: number; failures: number }[];
}

/** What an order said and what its images must say again. */
interface OrderFacts {
  patientId: string | null;
  accession: string | null;
  study: string | null;
  requestedProcedure: string | null;
  scheduledStep: string | null;
}

const factsOf = (message: Message): OrderFacts => ({
  patientId: getValue(message, 'PID-3.1'),
  accession: getValue(message, 'OBR-3.1'),
  study: getValue(message, 'ZDS-1.1'),
  requestedProcedure: getValue(message, 'OBR-19.1'),
  scheduledStep: getValue(message, 'OBR-20.1'),
});

/** The messages of a file of MLLP frames. */
async function readKept(file: string): Promise<Message[]> {
  const frames = (await readFile(file, 'latin1')).split('\x1c\r').filter((frame) => frame !== '');
  return frames.map((frame) => parseMessage(decodeMessage(Buffer.from(frame.replace('\x0b', ''), 'latin1'))));
}

const TAGS = { patientId: '0010,0020', accession: '0008,0050', study: '0020,000d' } as const;

/** The same facts from a DICOM file, by DCMTK. */
async function dumpFacts(file: string): Promise<OrderFacts> {
  const wanted = [...Object.values(TAGS), '0040,0275', '0040,1001', '0040,0009'].flatMap((tag) => [
    '+P',
    tag,
  ]);
  const { stdout } = await promisify(execFile)('/usr/bin/dcmdump', [...wanted, '+L', file]);
  const textOf = (tag: string): string | null =>
    new RegExp(`\\(${tag}\\) \\w\\w \\[(.*?)\\]`).exec(stdout)?.[1] ?? null;
  return {
    patientId: textOf(TAGS.patientId),
    accession: textOf(TAGS.accession),
    study: textOf(TAGS.study),
    requestedProcedure: textOf('0040,1001'),
    scheduledStep: textOf('0040,0009'),
  };
}

interface InstanceTags {
  PatientID: string;
  AccessionNumber: string;
  StudyInstanceUID: string;
  RequestAttributesSequence: { RequestedProcedureID: string; ScheduledProcedureStepID: string }[];
}

describe('order-to-image to receivers of others', {
  skip: without('dcmtk', 'orthanc', 'python3-hl7'),
}, () => {
  let cwd: string;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-receivers-'));
    const example = (await readFile(EXAMPLE, 'utf8')).replace('../generators/orm-o01.hl7', GENERATOR);
    await writeFile(
      join(cwd, 'small-images.yaml'),
      example.replace('count: 10', 'count: 10\n      generate_pixels: false'),
    );
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  async function bench(out: string, args: readonly string[]): Promise<RunJson> {
    const end = await yeeter(['bench', ...args, '--out', out], cwd);
    assert.equal(end.code, 0, end.stderr + end.stdout);
    return JSON.parse(await readFile(join(cwd, out, 'run.json'), 'utf8')) as RunJson;
  }

  it('1,000 patients to python-hl7 and DCMTK: each message once, each image once, with the ids of its order', async () => {
    const keepDir = join(cwd, 'dcmtk');
    const keepFile = join(cwd, 'messages');
    await using hl7 = await startPythonHl7Receiver({ keepFile });
    await using storescp = await startStorescp({ keepDir });
    const to = ['--mllp', `127.0.0.1:${hl7.port}`, '--dicom', `DCMTK@127.0.0.1:${storescp.port}`];
    const run = await bench('small', ['small-images.yaml', '--patients', '1000', ...to]);

    assert.equal(run.status, 'COMPLETED');
    assert.equal(run.started_iterations, 1000);
    assert.deepEqual([run.totals.completed, run.totals.failed, run.totals.cancelled], [1000, 0, 0]);
    assert.equal(await hl7.count(), 1000);
    const messages = await readKept(keepFile);
    assert.equal(new Set(messages.map((message) => getValue(message, 'MSH-10'))).size, 1000);

    const files = await readdir(keepDir);
    assert.equal(run.totals.dicom.success_instances, 10_000);
    assert.equal(new Set(files).size, 10_000);
    const orders = new Map(messages.map((message) => [getValue(message, 'ZDS-1.1'), factsOf(message)]));
    assert.equal(orders.size, 1000);
    for (let at = 0; at < files.length; at += 400) {
      const facts = await dumpFacts(join(keepDir, files[at]!));
      assert.deepEqual(facts, orders.get(facts.study));
    }
  });

  it('30 patients with whole pictures to DCMTK, none refused', async () => {
    await using hl7 = await startPythonHl7Receiver();
    await using storescp = await startStorescp();
    const to = ['--mllp', `127.0.0.1:${hl7.port}`, '--dicom', `DCMTK@127.0.0.1:${storescp.port}`];
    const run = await bench('whole', ['order-to-image', '--patients', '30', ...to]);
    assert.equal(run.totals.completed, 30);
    const { attempted_instances, success_instances, success_bytes } = run.totals.dicom;
    assert.deepEqual([attempted_instances, success_instances], [300, 300]);
    assert.ok(success_bytes > 30_000_000);
    assert.equal(await hl7.count(), 30);
  });

  it('50 patients to Orthanc, whose own statistics are ours and whose objects carry the ids of their orders', async () => {
    const keepFile = join(cwd, 'orthanc-messages');
    await using hl7 = await startPythonHl7Receiver({ keepFile });
    await using orthanc = await startOrthanc();
    const to = ['--mllp', `127.0.0.1:${hl7.port}`, '--dicom', `${orthanc.aeTitle}@127.0.0.1:${orthanc.port}`];
    const run = await bench('orthanc', ['small-images.yaml', '--patients', '50', ...to]);
    const get = async <T>(path: string): Promise<T> =>
      (await (await fetch(`${orthanc.url}${path}`)).json()) as T;

    const { instances, series, studies, patients } = await orthanc.statistics();
    const stores = run.series.find((entry) => entry.series === 'dicom_store');
    assert.deepEqual([patients, studies, series], [50, 50, 50]);
    assert.equal(instances, run.totals.dicom.success_instances);
    assert.deepEqual([stores?.count, stores?.failures], [instances, 0]);

    const ids = await get<string[]>('/instances');
    let dataSetBytes = 0;
    for (const id of ids) dataSetBytes += await dataSetSize(`${orthanc.url}/instances/${id}/file`);
    assert.equal(dataSetBytes, run.totals.dicom.success_bytes);

    const orders = new Map(
      (await readKept(keepFile)).map((message) => [getValue(message, 'ZDS-1.1'), factsOf(message)]),
    );
    assert.equal(orders.size, 50);
    const seen = new Set<string>();
    for (const study of await get<{ ID: string }[]>('/studies?expand')) {
      const [instance] = await get<{ ID: string }[]>(`/studies/${study.ID}/instances`);
      const tags = await get<InstanceTags>(`/instances/${instance!.ID}/simplified-tags`);
      const [request] = tags.RequestAttributesSequence;
      seen.add(tags.StudyInstanceUID);
      assert.deepEqual(
        {
          patientId: tags.PatientID,
          accession: tags.AccessionNumber,
          study: tags.StudyInstanceUID,
          requestedProcedure: request!.RequestedProcedureID,
          scheduledStep: request!.ScheduledProcedureStepID,
        },
        orders.get(tags.StudyInstanceUID),
      );
    }
    assert.equal(seen.size, 50);
  });
});

/** Size of a file without its preamble and meta information (PS3.10 section 7.1), which the archive writes itself. */
async function dataSetSize(url: string): Promise<number> {
  const file = Buffer.from(await (await fetch(url)).arrayBuffer());
  assert.equal(file.toString('latin1', 128, 132), 'DICM');
  // (0002,0000) UL of four bytes, the length of what follows it in group 2.
  return file.length - (132 + 12 + file.readUInt32LE(140));
}
