import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { YeeterError } from '../lib/errors.ts';
import { decodeDataSet, numbers, text } from './dataset-decoder.ts';
import { fileHeader, writePart10 } from './part10.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN } from './uids.ts';

const META = {
  sopClassUid: '1.2.3',
  sopInstanceUid: '1.2.3.4',
  transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
};
const PREAMBLE_BYTES = 132;

function codeOf(code: string): (error: unknown) => boolean {
  return (error) => error instanceof YeeterError && error.code === code;
}

describe('files', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'yeeter-part10-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('begin with a preamble and the meta information of the object', () => {
    const header = fileHeader(META);
    assert.equal(header.toString('latin1', 128, PREAMBLE_BYTES), 'DICM');
    const meta = decodeDataSet(header.subarray(PREAMBLE_BYTES), 'explicit');
    assert.equal(text(meta, 'MediaStorageSOPInstanceUID'), '1.2.3.4');
    assert.deepEqual(numbers(meta, 'FileMetaInformationGroupLength'), [header.length - PREAMBLE_BYTES - 12]);
  });

  it('hold their parts in order, however many', async () => {
    const parts = Array.from({ length: 1500 }, (_, index) => Buffer.from([index & 255, index >> 8]));
    const path = join(dir, 'parts.dcm');
    const sizeBytes = await writePart10(path, META, parts);
    const file = await readFile(path);
    assert.equal(file.length, sizeBytes);
    assert.deepEqual(file.subarray(fileHeader(META).length), Buffer.concat(parts));
  });

  it('that find no room end in DISK_FULL', async () => {
    await assert.rejects(writePart10('/dev/full', META, [Buffer.alloc(64)]), codeOf('DISK_FULL'));
  });

  it('that cannot be made end in STORAGE_FAILED and name the path', async () => {
    const path = join(dir, 'absent', 'x.dcm');
    await assert.rejects(
      writePart10(path, META, []),
      (error) => codeOf('STORAGE_FAILED')(error) && (error as Error).message.includes(path),
    );
  });
});
