import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { encodeDataSet } from '../../src/dicom/dataset.ts';
import { VERIFICATION_SOP_CLASS } from '../../src/dicom/dimse.ts';
import { fileHeader } from '../../src/dicom/part10.ts';
import { createDicomScp } from '../../src/dicom/scp.ts';
import { type OpenAssociationOptions, openAssociation } from '../../src/dicom/scu.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, SOP_CLASS } from '../../src/dicom/uids.ts';
import { createDicomSink } from '../../src/sink/dicom-sink.ts';
import { startOrthanc, startStorescp, without } from '../support/services.ts';

/** A peer with Nagle's algorithm on would answer after 40 ms each. */
const PEER = { env: { ...process.env, TCP_NODELAY: '1' } } as const;

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yeeter-dicom-wire-'));
});

after(() => rm(folder, { recursive: true }));

/** Runs a client program to its end. @returns its exit code and what it printed */
async function run(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(program, args, PEER);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

interface Instance {
  sopInstanceUid: string;
  /** Elements before the pixels, and the pixels. */
  parts: Buffer[];
}

function ctInstance(n: number, side: number): Instance {
  const sopInstanceUid = `2.25.3298007350${n}`;
  const set = encodeDataSet({
    SOPClassUID: SOP_CLASS.CT,
    SOPInstanceUID: sopInstanceUid,
    StudyDate: '20240102',
    StudyTime: '030405',
    AccessionNumber: 'A1',
    Modality: 'CT',
    PatientName: 'ZZTEST^WIRE',
    PatientID: 'ZZ42',
    StudyInstanceUID: '2.25.329800735001',
    SeriesInstanceUID: '2.25.329800735002',
    InstanceNumber: n,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: side,
    Columns: side,
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
  });
  const pixels = Buffer.alloc(side * side * 2);
  for (let i = 0; i < pixels.length; i += 2) pixels.writeUInt16LE((i * 31 + n) & 0xfff, i);
  const pixelHeader = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  pixelHeader.writeUInt32LE(pixels.length, 8);
  return { sopInstanceUid, parts: [Buffer.concat([set, pixelHeader]), pixels] };
}

const INSTANCES = [ctInstance(1, 512), ctInstance(2, 30), ctInstance(3, 512)];

const meta = (sopInstanceUid: string) => ({
  sopClassUid: SOP_CLASS.CT,
  sopInstanceUid,
  transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
});

/** The data set of a Part 10 file: what follows group 2. */
async function dataSetOf(path: string): Promise<Buffer> {
  const file = await readFile(path);
  assert.equal(file.toString('latin1', 128, 132), 'DICM');
  return file.subarray(144 + file.readUInt32LE(140));
}

async function writeInstances(into: string): Promise<string> {
  const path = join(folder, into);
  await mkdir(path);
  for (const { sopInstanceUid, parts } of INSTANCES) {
    const bytes = Buffer.concat([fileHeader(meta(sopInstanceUid)), ...parts]);
    await writeFile(join(path, sopInstanceUid), bytes);
  }
  return path;
}

async function opened(port: number, more: Partial<OpenAssociationOptions> = {}) {
  const result = await openAssociation({
    host: '127.0.0.1',
    port,
    calledAeTitle: 'ANY-SCP',
    contexts: [
      { abstractSyntax: SOP_CLASS.CT, transferSyntaxes: [EXPLICIT_VR_LITTLE_ENDIAN] },
      { abstractSyntax: VERIFICATION_SOP_CLASS, transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN] },
    ],
    ...more,
  });
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.association;
}

async function storeAll(port: number, more: Partial<OpenAssociationOptions> = {}): Promise<number> {
  const association = await opened(port, more);
  for (const { sopInstanceUid, parts } of INSTANCES) {
    const stored = await association.store({ ...meta(sopInstanceUid), parts });
    assert.ok(stored.ok && stored.status === 0, stored.ok ? '' : stored.message);
  }
  assert.equal((await association.release()).ok, true);
  await association.closed;
  return association.peerMaxPduBytes;
}

describe('the DICOM wire against DCMTK', { skip: without('dcmtk') }, () => {
  it('storescp receives what we sent, byte for byte, with small and large PDUs', async () => {
    for (const pdu of [4_096, 131_072]) {
      const kept = join(folder, `storescp-${pdu}`);
      await using storescp = await startStorescp({ keepDir: kept, args: ['+B', '--max-pdu', `${pdu}`] });
      assert.equal(await storeAll(storescp.port), pdu);
      const files = await readdir(kept);
      assert.equal(files.length, INSTANCES.length);
      for (const { sopInstanceUid, parts } of INSTANCES) {
        const name = files.find((file) => file.endsWith(sopInstanceUid));
        assert.ok(name, sopInstanceUid);
        assert.ok((await dataSetOf(join(kept, name))).equals(Buffer.concat(parts)), sopInstanceUid);
      }
    }
  });

  it('storescp answers our C-ECHO and refuses what it does not know', async () => {
    await using storescp = await startStorescp();
    const association = await opened(storescp.port, {
      contexts: [
        { abstractSyntax: VERIFICATION_SOP_CLASS, transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN] },
        { abstractSyntax: SOP_CLASS.CT, transferSyntaxes: ['1.2.840.10008.1.2.4.50'] },
        { abstractSyntax: '1.2.3.4', transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN] },
      ],
    });
    assert.equal((await association.echo()).ok, true);
    const unknown = await association.store({ ...meta('1.2'), sopClassUid: '1.2.3.4', parts: [] });
    assert.equal(!unknown.ok && unknown.code, 'DICOM_CONTEXT_REFUSED');
    await association.close();
  });

  it('128 presentation contexts are negotiated with storescp', async () => {
    await using storescp = await startStorescp();
    const contexts = Array.from({ length: 128 }, (_, n) => ({
      abstractSyntax: n === 127 ? SOP_CLASS.CT : `1.2.3.${n}`,
      transferSyntaxes: [EXPLICIT_VR_LITTLE_ENDIAN],
    }));
    const association = await opened(storescp.port, { contexts });
    assert.equal(association.isAccepted(SOP_CLASS.CT, EXPLICIT_VR_LITTLE_ENDIAN), true);
    assert.equal(association.isAccepted('1.2.3.5', EXPLICIT_VR_LITTLE_ENDIAN), false);
    await association.close();
  });

  it('storescp that aborts or refuses is a clear failure', async () => {
    const cases: [flag: string, code: string][] = [
      ['--abort-after', 'DICOM_ABORTED'],
      ['--abort-during', 'DICOM_ABORTED'],
      ['--refuse', 'DICOM_ASSOCIATION_REJECTED'],
    ];
    for (const [flag, code] of cases) {
      await using storescp = await startStorescp({ args: [flag] });
      const result = await openAssociation({
        host: storescp.host,
        port: storescp.port,
        calledAeTitle: 'ANY-SCP',
        contexts: [{ abstractSyntax: SOP_CLASS.CT, transferSyntaxes: [EXPLICIT_VR_LITTLE_ENDIAN] }],
      });
      if (!result.ok) {
        assert.equal(result.code, code, result.message);
        continue;
      }
      const { sopInstanceUid, parts } = INSTANCES[0]!;
      const stored = await result.association.store({ ...meta(sopInstanceUid), parts });
      assert.ok(
        !stored.ok && [code, 'DICOM_CLOSED'].includes(stored.code),
        stored.ok ? 'stored' : stored.message,
      );
      await result.association.closed;
    }
  });

  it('storescu sends to us with small and large PDUs, and our files hold its bytes', async () => {
    const files = await writeInstances('storescu');
    for (const pdu of ['4096', '131072']) {
      const kept = join(folder, `sink-${pdu}`);
      await using sink = await createDicomSink({ keepDir: kept, digest: true });
      const args = ['-R', '--max-send-pdu', pdu, '-pdu', pdu, '+sd', '127.0.0.1', `${sink.port}`, files];
      const { code, output } = await run('storescu', args);
      assert.equal(code, 0, output);
      for (const { sopInstanceUid, parts } of INSTANCES) {
        const dataSet = await dataSetOf(join(kept, `${sopInstanceUid}.dcm`));
        assert.ok(dataSet.equals(Buffer.concat(parts)), sopInstanceUid);
      }
      const counts = await sink.close();
      assert.deepEqual([counts.instances, counts.failures, counts.failedAssociations], [3, 0, 0]);
    }
  });

  it('storescu sees our statuses and faults', async () => {
    const files = await writeInstances('faults');
    await using refusing = await createDicomScp({ onStore: () => 0xa700 });
    const refused = await run('storescu', ['-v', '-R', '-nh', '+sd', '127.0.0.1', `${refusing.port}`, files]);
    assert.match(refused.output, /Out of Resources|OutOfResources|A700|a700/i);
    assert.equal(refusing.counters.storesRefused, 3);
    await using aborting = await createDicomScp({ onStore: () => 'abort' });
    const aborted = await run('storescu', ['-R', '+sd', '127.0.0.1', `${aborting.port}`, files]);
    assert.notEqual(aborted.code, 0);
  });

  it('echoscu is answered, rejected by AE title, and may abort', async () => {
    await using scp = await createDicomScp({ aeTitle: 'OURS' });
    const echo = (...args: string[]) => run('echoscu', [...args, '127.0.0.1', `${scp.port}`]);
    assert.equal((await echo('-aec', 'OURS', '--repeat', '3')).code, 0);
    const rejected = await echo('-v', '-aec', 'OTHER');
    assert.notEqual(rejected.code, 0);
    assert.match(rejected.output, /Called AE Title Not Recognized/i);
    assert.equal((await echo('-aec', 'OURS', '--abort')).code, 0);
    assert.deepEqual(
      [scp.counters.echoes, scp.counters.associationsAccepted, scp.counters.associationsRejected],
      [4, 2, 1],
    );
  });
});

it('Orthanc counts the instances that we stored', { skip: without('orthanc') }, async () => {
  await using orthanc = await startOrthanc();
  await storeAll(orthanc.port, { calledAeTitle: orthanc.aeTitle });
  assert.equal((await orthanc.statistics()).instances, INSTANCES.length);
});
