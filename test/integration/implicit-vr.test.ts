import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createDicomSink } from '../../src/sink/dicom-sink.ts';
import { openTestBench, type TestBench, templateFrom } from '../support/run.ts';
import { startStorescp, without } from '../support/services.ts';

const STUDY = `
name: implicit
generators: {order: {file: ../generators/orm-o01.hl7}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - step_type: GENERATE_DICOM
    parameters: {count: 3, modality: CT, generate_report: true}
  - {step_type: SEND_DICOM, parameters: {}}
`;

describe('a receiver that takes Implicit VR Little Endian alone', {
  skip: without('dcmtk', 'dicom3tools'),
}, () => {
  let bench: TestBench;
  let keepDir: string;
  before(async () => {
    keepDir = await mkdtemp(join(tmpdir(), 'yeeter-implicit-'));
    bench = await openTestBench();
  });
  after(async () => {
    await bench.close();
    await rm(keepDir, { recursive: true });
  });

  it('gets every instance in it, valid, and the manifest is that of any other receiver', async () => {
    const template = templateFrom(STUDY);
    await using sink = await createDicomSink({});
    const explicit = await bench.run({ template, patients: 1, dicomPort: sink.port });
    await using storescp = await startStorescp({ keepDir, args: ['--implicit'] });
    const implicit = await bench.run({ template, patients: 1, dicomPort: storescp.port });
    assert.deepEqual(implicit.totals.failures, []);
    assert.equal(implicit.totals.dicom.successInstances, 4);
    assert.equal(implicit.totals.manifestSha256, explicit.totals.manifestSha256);
    assert.ok(implicit.totals.dicom.successBytes < explicit.totals.dicom.successBytes);
    const files = (await readdir(keepDir)).map((name) => join(keepDir, name));
    assert.equal(files.length, 4);
    for (const file of files) {
      const { stdout } = await promisify(execFile)('/usr/bin/dcmdump', ['+P', '0002,0010', file]);
      assert.match(stdout, /=LittleEndianImplicit/);
      // Ends with 1 on an error, which rejects.
      await promisify(execFile)('/usr/bin/dciodvfy', [file]);
    }
  });
});
