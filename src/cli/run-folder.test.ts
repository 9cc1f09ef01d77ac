import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { newRunFolder, runFolderOf } from './run-folder.ts';

const ONE = { id: 1, createdAtMs: 1_767_596_400_000 };
const ANOTHER = { id: 1, createdAtMs: 1_767_596_400_001 };

describe('the folder of a run', () => {
  let base: string;
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'yeeter-folder-'));
  });
  afterEach(() => rm(base, { recursive: true, force: true }));

  it('is a new one, whatever other ledgers have left there', async () => {
    await mkdir(join(base, 'run-1'));
    await writeFile(join(base, 'run-1-3'), 'no folder');
    assert.equal(await newRunFolder(base, ONE), join(base, 'run-1-2'));
    assert.equal(await newRunFolder(base, ANOTHER), join(base, 'run-1-4'));
    assert.equal(await newRunFolder(base, { ...ONE, id: 12 }), join(base, 'run-12'));
    assert.deepEqual(await readdir(join(base, 'run-1')), []);
  });

  it('is found again by its run, and for no other run of that number', async () => {
    const folders = [await newRunFolder(base, ANOTHER), await newRunFolder(base, ONE)];
    await rm(folders[0]!, { recursive: true });
    assert.equal(await runFolderOf(base, ONE), folders[1]);
    assert.equal(await runFolderOf(base, ANOTHER), join(base, 'run-1'));
    assert.equal(await runFolderOf(base, { ...ONE, createdAtMs: 0 }), join(base, 'run-1-3'));
  });
});
