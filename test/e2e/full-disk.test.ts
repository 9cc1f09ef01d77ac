import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import { type CliEnd, startProgram, YEETER } from '../support/cli.ts';

/** A file system of so many bytes in `mounted`, seen by the command alone and gone with it; where we are allowed to. */
const CAN_MOUNT = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
const UNABLE = !CAN_MOUNT && 'mounting a small file system takes root';

describe('a full disk', { skip: UNABLE }, () => {
  let cwd: string;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-e2e-'));
    await (await openPgliteStore({ dataDir: join(cwd, 'made') })).close();
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  /** `yeeter` with `mounted` being a file system of its own, which holds a copy of `content`. */
  function onSmallDisk(sizeKb: number, content: string | null, args: readonly string[]): Promise<CliEnd> {
    const script = [
      `mkdir -p mounted && mount -t tmpfs -o size=${sizeKb}k none mounted`,
      ...(content === null ? [] : [`cp -r ${content}/. mounted`]),
      'exec "$@"',
    ];
    return startProgram(
      'unshare',
      ['--mount', 'sh', '-c', script.join(' && '), 'sh', ...YEETER, ...args],
      cwd,
    ).ended;
  }

  it('below --data is named before anything is sent', async () => {
    const end = await onSmallDisk(4096, null, ['bench', 'orders-only', '-n', '20', '--data', 'mounted/new']);
    assert.equal(end.code, 1);
    assert.match(end.stderr, /DISK_FULL: data folder .*mounted\/new/);
  });

  it('below --data ends a run in its middle, with accounts that add up', async () => {
    const sizeKb = Number(spawnSync('du', ['-sk', 'made'], { cwd, encoding: 'utf8' }).stdout.split('\t')[0]);
    const end = await onSmallDisk(sizeKb + 3000, 'made', [
      'bench',
      'orders-only',
      '--patients',
      '10000000',
      '--data',
      'mounted',
      '--out',
      'full-data',
    ]);
    assert.equal(end.code, 1);
    assert.match(end.stderr, /(DISK_FULL|STORAGE_FAILED): data folder .*mounted/);
    const counted = /([\d,]+) started, ([\d,]+) completed, ([\d,]+) failed, ([\d,]+) cancelled/.exec(
      end.stdout,
    );
    assert.ok(counted, end.stdout);
    const [started, ...ended] = counted.slice(1).map((text) => Number(text.replaceAll(',', '')));
    assert.ok(started! > 0);
    assert.equal(
      started,
      ended.reduce((sum, count) => sum + count),
    );
  });

  it('below --out leaves whole accounts on the screen and is named', async () => {
    const end = await onSmallDisk(48, null, [
      'bench',
      'orders-only',
      '-n',
      '2000',
      '--data',
      'made',
      '--out',
      'mounted',
    ]);
    assert.equal(end.code, 1);
    assert.match(end.stdout, /COMPLETED after .*: 2,000 completed, 0 failed, 0 cancelled of 2,000 patients/);
    assert.match(end.stderr, /DISK_FULL: the files of run 1 could not be written to .*mounted/);
  });
});
