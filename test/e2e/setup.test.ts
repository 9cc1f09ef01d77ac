import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the command of the clone starts without a shell around it and passes its exit code through', () => {
  const run = (...args: string[]) =>
    spawnSync(`${root}/bin/yeeter.js`, args, { cwd: root, encoding: 'utf8' });
  assert.match(run('--help').stdout, /^Usage: yeeter /);
  assert.equal(run('no-such-command').status, 2);
});

test('the lock file holds no address of a registry', () => {
  assert.doesNotMatch(readFileSync(`${root}/package-lock.json`, 'utf8'), /"resolved"|https?:\/\/registry/);
});

test('a command that does not exist is told from those that do', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'bnech'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 2);
  assert.match(stderr, /unknown command "bnech": one of bench, build/);
});
