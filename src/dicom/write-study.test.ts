import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { studyFixture } from '../../test/support/dicom-study.ts';
import { YeeterError } from '../lib/errors.ts';
import { writeStudy } from './write-study.ts';

const study = studyFixture('CT', 'CHEST', [{ instanceCount: 3 }, { modality: 'SR', kind: 'report' }], {
  pixels: 'minimal',
});

describe('writeStudy', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'yeeter-study-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('writes one file an instance, in a folder a series, and counts files and bytes', async () => {
    const written = await writeStudy(study, dir);
    assert.equal(written.directory, join(dir, study.studyInstanceUid));
    const names = ['0001/00001.dcm', '0001/00002.dcm', '0001/00003.dcm', '0002/00001.dcm'];
    let sizeBytes = 0;
    for (const name of names) sizeBytes += (await stat(join(written.directory, name))).size;
    assert.deepEqual(written, { directory: written.directory, files: 4, sizeBytes });
    assert.deepEqual((await readdir(written.directory)).sort(), ['0001', '0002']);
  });

  it('says which folder cannot be made', async () => {
    const taken = join(dir, 'taken');
    await writeFile(taken, '');
    await assert.rejects(
      writeStudy(study, taken),
      (error) =>
        error instanceof YeeterError && error.code === 'STORAGE_FAILED' && error.message.includes(taken),
    );
  });
});
