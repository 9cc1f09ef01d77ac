import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPgliteStore, type PgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import { batchOf, iterationRow, newRun } from './ledger-rows.ts';

/** A new data folder takes 40 MB. */
const DISK_BYTES = 80 * 2 ** 20;

describe('a data folder on a disk that is full', () => {
  let disk: string;
  let mounted = false;
  let store: PgliteStore;
  const filler = (): string => join(disk, 'filler');

  before(async () => {
    disk = await mkdtemp(join(tmpdir(), 'yeeter-disk-'));
    mounted =
      spawnSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk]).status === 0;
  });
  after(async () => {
    await store?.close();
    if (mounted) execFileSync('/usr/bin/umount', [disk]);
    await rm(disk, { recursive: true, force: true });
  });

  const targetOfSomeSize = (times: number) => ({
    host: 'a',
    port: 1,
    aeTitle: null,
    owner: randomBytes(900).toString('hex'),
    expiresAtMs: times,
    maxAssociations: 4,
    maxMessagesPerSecond: null,
    maxBytes: null,
  });

  it('refuses a batch as a whole, says so, goes on reading, and closes', async (t) => {
    if (!mounted) return t.skip('a disk of its own cannot be mounted here: run the tests as root');
    const dataDir = join(disk, 'data');
    store = await openPgliteStore({ dataDir });
    const { id } = await store.createRun(newRun());
    const numbers = Array.from({ length: 500 }, (_, i) => i + 1);
    await store.writeLedger(batchOf({ iterations: numbers.map((n) => iterationRow(id, n)) }));
    for (let times = 0; times < 300; times++) await store.registerTarget(targetOfSomeSize(times));
    await assert.rejects(writeFile(filler(), Buffer.alloc(DISK_BYTES)), { code: 'ENOSPC' });

    const more = numbers.map((n) => iterationRow(id, 500 + n));
    const refused = store.writeLedger(batchOf({ iterations: more }));
    await assert.rejects(refused, { code: 'DISK_FULL', message: /no space left.*free some/ });
    assert.equal(await store.countFinished(id), 500);

    // Rows that take the place of others need no room in the tables, but the log does in the end.
    const untilLogIsFull = async (): Promise<void> => {
      for (let times = 0; times < 100_000; times++) await store.registerTarget(targetOfSomeSize(times));
    };
    await assert.rejects(untilLogIsFull(), { code: 'DISK_FULL' });
    await assert.rejects(store.countFinished(id), { code: 'DISK_FULL' });
    await store.close();

    await rm(filler());
    store = await openPgliteStore({ dataDir });
    assert.equal(await store.countFinished(id), 500);
    assert.deepEqual(await store.writeLedger(batchOf({ iterations: more })), {
      duplicateAttempts: 0,
      duplicateIterations: 0,
    });
    assert.equal((await store.runTotals(id)).completed, 1000);
  });

  it('is made anew when the disk was too small to make it', async (t) => {
    if (!mounted) return t.skip('a disk of its own cannot be mounted here: run the tests as root');
    await store.close();
    await rm(join(disk, 'data'), { recursive: true });
    await writeFile(filler(), Buffer.alloc(DISK_BYTES - 10 * 2 ** 20));
    const dataDir = join(disk, 'other');
    await assert.rejects(openPgliteStore({ dataDir }), { code: 'DISK_FULL' });
    await rm(filler());
    store = await openPgliteStore({ dataDir });
    assert.deepEqual(await store.listRuns({ limit: 1 }), []);
  });
});
