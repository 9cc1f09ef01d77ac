import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { lockFolder } from './folder-lock.ts';

describe('the lock of a data folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yeeter-lock-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const leaveLock = (text: string): Promise<void> => writeFile(join(folder, 'lock'), text);

  const deadPid = async (): Promise<number> => {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(child, 'exit');
    return child.pid!;
  };

  it('makes the folder, and is free again when it is released', async () => {
    const inner = join(folder, 'a', 'b');
    for (let times = 0; times < 2; times++) {
      const lock = await lockFolder(inner);
      assert.deepEqual(await readdir(inner), ['lock']);
      await lock.release();
      assert.deepEqual(await readdir(inner), []);
    }
  });

  it('names its holder and says what to do', async () => {
    const lock = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), (error: Error & { code: string }) => {
      assert.equal(error.code, 'STORAGE_LOCKED');
      assert.match(error.message, /this process since \d{4}-.*choose another folder with --data/);
      assert.ok(error.message.includes(folder));
      return true;
    });
    await lock.release();
  });

  it('names the process that is alive and not this one', async () => {
    const holder = { pid: process.ppid, startTime: null, host: hostname(), since: 'today' };
    await leaveLock(JSON.stringify(holder));
    await assert.rejects(lockFolder(folder), { message: new RegExp(`process ${process.ppid} since today`) });
  });

  it('goes to one of several that come at once after a dead holder', async () => {
    const pid = await deadPid();
    await leaveLock(JSON.stringify({ pid, startTime: null, host: hostname(), since: 'once' }));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    assert.equal(won.length, 1);
    await won[0]!.value.release();
    assert.deepEqual(await readdir(folder), []);
  });

  it('is taken over from a process number that belongs to another process now', async (t) => {
    if (process.platform !== 'linux') return t.skip('start times are known on Linux alone');
    await leaveLock(JSON.stringify({ pid: process.pid, startTime: '1', host: hostname(), since: 'once' }));
    await (await lockFolder(folder)).release();
  });

  it('is taken over when its text is half written', async () => {
    await leaveLock('{"pid": 1');
    await (await lockFolder(folder)).release();
  });

  it('is not taken from a holder on another machine', async () => {
    await leaveLock(JSON.stringify({ pid: 1, startTime: null, host: 'elsewhere', since: 'once' }));
    await assert.rejects(lockFolder(folder), {
      code: 'STORAGE_LOCKED',
      message: /process 1 on elsewhere .*delete/,
    });
  });

  it('stays with the one that took it after it was deleted by hand', async () => {
    const first = await lockFolder(folder);
    await rm(join(folder, 'lock'));
    const second = await lockFolder(folder);
    await first.release();
    await assert.rejects(lockFolder(folder), { code: 'STORAGE_LOCKED' });
    await second.release();
  });

  it('says what is wrong with a folder that cannot be made', async () => {
    await leaveLock('');
    await assert.rejects(lockFolder(join(folder, 'lock', 'data')), { code: 'STORAGE_FAILED' });
  });
});
