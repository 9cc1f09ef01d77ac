import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startProgram, untilServing } from '../support/cli.ts';

const run = promisify(execFile);
/** A hang is a failure; a busy machine is not. */
const HANG_MS = 600_000;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** npm's own settings of the test run, such as the project it works on, must not reach the npm under test. */
const npmFree = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
const env = { ...npmFree, PATH: [path.dirname(process.execPath), process.env.PATH].join(path.delimiter) };

describe('the packed package, installed in an empty folder', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'yeeter-package-'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, env });
    const [packed] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [{ filename: string }];
    await writeFile(path.join(folder, 'package.json'), '{ "private": true }');
    await run('npm', ['install', '--no-audit', '--no-fund', path.join(folder, packed.filename)], {
      cwd: folder,
      env,
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const yeeter = (...args: string[]) => run('npx', ['--no-install', 'yeeter', ...args], { cwd: folder, env });

  it('brings the command, its compiled code and the examples, and neither sources nor tests', async () => {
    const entries = await readdir(path.join(folder, 'node_modules', 'yeeter'));
    assert.deepEqual(entries.sort(), ['LICENSE', 'README.md', 'bin', 'dist', 'examples', 'package.json']);
  });

  it('explains itself', async () => {
    const { stdout } = await yeeter('--help');
    assert.match(stdout, /^Usage: yeeter /);
  });

  it('runs the main job for 20 patients with its own sinks and threads', async () => {
    await yeeter('bench', '--patients', '20', '--seed', '7', '--out', 'out', '--quiet');
    const files = await readdir(path.join(folder, 'out'));
    for (const name of ['run.json', 'runs.csv', 'jobs.csv', 'windows.csv'])
      assert.ok(files.includes(name), name);
  });

  it('serves: somebody registers, finds the templates and reads what the interface offers', async () => {
    const bin = path.join(folder, 'node_modules', '.bin', 'yeeter');
    const server = startProgram(bin, ['serve', '--port', '0', '--data', 'data'], folder, HANG_MS, env);
    try {
      const url = await untilServing(server);
      const account = { username: 'anna', email: 'anna@example.org', password: 'correct horse' };
      const registered = await fetch(`${url}/api/auth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(account),
      });
      assert.equal(registered.status, 201);
      const { access_token: token } = (await registered.json()) as { access_token: string };
      const headers = { authorization: `Bearer ${token}` };
      const templates = await fetch(`${url}/api/simulator/templates`, { headers });
      assert.ok(((await templates.json()) as unknown[]).length > 0);
      const described = (await (await fetch(`${url}/api/openapi.json`)).json()) as { openapi: string };
      assert.match(described.openapi, /^3\.1/);
      const page = await fetch(`${url}/api/docs`);
      assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
      assert.match(await page.text(), /\/api\/auth\/register/);
    } finally {
      server.process.kill('SIGTERM');
    }
    const { code, stderr } = await server.ended;
    assert.equal(code, 0, stderr);
  });
});
