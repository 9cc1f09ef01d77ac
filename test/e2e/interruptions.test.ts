import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { delay } from '../../src/lib/lifecycle.ts';
import { openPgliteStore } from '../../src/storage/pglite/open-pglite-store.ts';
import { newRun } from '../conformance/ledger-rows.ts';
import { childrenOf, isRunning, startYeeter, untilGone, yeeter } from '../support/cli.ts';
import { ORDERS, templateFrom } from '../support/run.ts';

interface RunJson {
  status: string;
  started_iterations: number;
  totals: { completed: number; failed: number; cancelled: number };
  failures: { code: string; count: number }[];
}

const readRun = async (out: string): Promise<RunJson> =>
  JSON.parse(await readFile(join(out, 'run.json'), 'utf8')) as RunJson;

function assertAccounts({ started_iterations, totals }: RunJson): void {
  assert.equal(started_iterations, totals.completed + totals.failed + totals.cancelled);
}

const FILES = ['run.json', 'runs.csv', 'jobs.csv', 'windows.csv', 'purge.csv'];
const ENDLESS = ['bench', 'orders-only', '--patients', '10000000'];

describe('a run that is interrupted', () => {
  let cwd: string;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'yeeter-e2e-'));
    // Made once and copied: making a data folder takes longer than anything else here.
    await (await openPgliteStore({ dataDir: join(cwd, 'made') })).close();
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  const dataFolder = async (name: string): Promise<string> => {
    await cp(join(cwd, 'made'), join(cwd, name), { recursive: true });
    return name;
  };

  it('before it began, since --out cannot be made, leaves no run behind', async () => {
    const data = await dataFolder('unmade-data');
    const end = await yeeter(['bench', 'orders-only', '--data', data, '--out', '/dev/null/out'], cwd);
    assert.equal(end.code, 2, end.stderr);
    assert.match(end.stderr, /USAGE: --out \/dev\/null\/out: the folder cannot be made/);
    await using store = await openPgliteStore({ dataDir: join(cwd, data) });
    assert.deepEqual(await store.listRuns({ limit: 10 }), []);
  });

  it('by SIGINT ends CANCELLED with all its files and whole accounts, and leaves no sink behind', async () => {
    const data = await dataFolder('interrupted-data');
    const run = startYeeter([...ENDLESS, '--data', data, '--out', 'interrupted'], cwd);
    await run.said('run 1: orders-only');
    const sinks = childrenOf(run.pid);
    assert.equal(sinks.length, 1);
    await delay(1000);
    run.process.kill('SIGINT');
    const end = await run.ended;
    assert.equal(end.code, 1, end.stderr);
    assert.match(end.stderr, /stopping: no further patient starts/);
    assert.match(end.stdout, /run 1 CANCELLED after .* of 10,000,000 patients/);
    const report = await readRun(join(cwd, 'interrupted'));
    assert.equal(report.status, 'CANCELLED');
    assertAccounts(report);
    for (const name of FILES) assert.ok(existsSync(join(cwd, 'interrupted', name)), name);
    for (const pid of sinks) await untilGone(pid);
  });

  it('by SIGINT twice ends at once and still leaves no sink behind', async () => {
    const data = await dataFolder('twice-data');
    const run = startYeeter([...ENDLESS, '--data', data, '--out', 'twice'], cwd);
    await run.said('run 1: orders-only');
    const sinks = childrenOf(run.pid);
    run.process.kill('SIGINT');
    await run.said('stopping');
    run.process.kill('SIGINT');
    const end = await run.ended;
    assert.ok(end.code === 130 || end.code === 1);
    for (const pid of sinks) await untilGone(pid);
  });

  it('by SIGKILL leaves no sink behind, and the data folder to whoever comes next', async () => {
    const data = await dataFolder('killed-data');
    const run = startYeeter([...ENDLESS, '--data', data, '--out', 'killed'], cwd);
    await run.said('run 1: orders-only');
    const sinks = childrenOf(run.pid);
    await delay(500);
    run.process.kill('SIGKILL');
    await run.ended;
    for (const pid of sinks) await untilGone(pid);
    const next = await yeeter(['bench', 'orders-only', '-n', '20', '--data', data, '--out', 'next'], cwd);
    assert.equal(next.code, 0, next.stderr);
    assert.match(next.stdout, /run \d+ COMPLETED/);
  });

  it('by SIGKILL goes on in its own folder, beside that of a run of another ledger', async () => {
    const data = await dataFolder('resumed-data');
    const folder = (name: string): string => join(cwd, 'yeeter-out', name);
    await mkdir(folder('run-1'), { recursive: true });
    await writeFile(join(folder('run-1'), 'run.json'), '"of another ledger"');
    const run = startYeeter(['bench', 'orders-only', '-n', '20000', '--data', data], cwd);
    await run.said(/^run 1: orders-only, .*run-1-2$/m);
    await delay(500);
    run.process.kill('SIGKILL');
    await run.ended;
    const resumed = await yeeter(['bench', '--resume', '1', '--data', data], cwd);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal((await readRun(folder('run-1-2'))).totals.completed, 20_000);
    assert.equal(await readFile(join(folder('run-1'), 'run.json'), 'utf8'), '"of another ledger"');
    assert.ok(!existsSync(folder('run-1-3')));
  });

  it('before its first patient can be gone on with too', async () => {
    const data = await dataFolder('pending-data');
    {
      await using store = await openPgliteStore({ dataDir: join(cwd, data) });
      await store.createRun(
        newRun({ template: templateFrom(ORDERS), patientCount: 5, endpoints: {}, limits: {} }),
      );
    }
    const other = await yeeter(['bench', 'orders-only', '-n', '1', '--data', data, '--out', 'other'], cwd);
    assert.match(other.stderr, /run 1 \(orders, 5 patients\) was interrupted: --resume 1 goes on with it/);
    const resumed = await yeeter(['bench', '--resume', '1', '--data', data, '--out', 'pending'], cwd);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal((await readRun(join(cwd, 'pending'))).totals.completed, 5);
  });

  it('by the death of its sink goes on to its end and counts what failed', async () => {
    const data = await dataFolder('sink-data');
    const args = ['bench', 'orders-only', '--patients', '4000', '--data', data, '--out', 'without-sink'];
    const run = startYeeter(args, cwd);
    await run.said('run 1: orders-only');
    const [sink] = childrenOf(run.pid);
    await delay(300);
    process.kill(sink!, 'SIGKILL');
    const end = await run.ended;
    assert.equal(end.code, 1, end.stderr);
    assert.match(end.stdout, /x CONNECT_REFUSED at step 2/);
    const report = await readRun(join(cwd, 'without-sink'));
    assertAccounts(report);
    assert.equal(report.status, 'COMPLETED');
    assert.equal(report.totals.completed + report.totals.failed, 4000);
    assert.ok(report.failures.some(({ code }) => code === 'CONNECT_REFUSED'));
  });

  it('by another that wants its data folder is not: the other is told who has it', async () => {
    const data = await dataFolder('shared-data');
    const holder = startYeeter([...ENDLESS, '--data', data, '--out', 'holder'], cwd);
    await holder.said('run 1: orders-only');
    const other = await yeeter(['bench', 'orders-only', '-n', '1', '--data', data], cwd);
    assert.equal(other.code, 1);
    assert.match(
      other.stderr,
      new RegExp(`STORAGE_LOCKED: data folder ${join(cwd, data)} is in use by process ${holder.pid} `),
    );
    assert.ok(isRunning(holder.pid));
    holder.process.kill('SIGTERM');
    assert.equal((await holder.ended).code, 1);
    assertAccounts(await readRun(join(cwd, 'holder')));
  });
});
