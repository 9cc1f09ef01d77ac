import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { yeeter } from '../support/cli.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(path.join(root, file), 'latin1');

/** Keys as they are handed out: random, so that they hold a digit and both cases, and not one character again and again. */
const SECRETS = [
  /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}/,
  /\bytr_(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{43}\b/,
  /\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{30,}/,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\bgh[pousr]_[A-Za-z0-9]{36}\b/,
];

describe('the repository', () => {
  it('holds no secrets', { skip: !existsSync(path.join(root, '.git')) && 'this is no clone' }, () => {
    const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
    const found = files
      .filter((file) => file !== '' && existsSync(path.join(root, file)))
      .filter((file) => {
        const text = read(file);
        return SECRETS.some((secret) => secret.test(text));
      });
    assert.deepEqual(found, []);
    const named = files.filter((file) =>
      /(^|\/)(\.env(\..*)?|.*\.(pem|key|p12|pfx)|id_(rsa|ed25519))$/.test(file),
    );
    assert.deepEqual(named, []);
  });

  it('names all commands in its README, and no others', async () => {
    const help = await yeeter(['--help'], root);
    const commands = [...help.stdout.matchAll(/^ {2}([a-z][a-z0-9-]*)(?= |$)/gm)].map(([, name]) => name!);
    const table = /^## Commands$.*?^## /ms.exec(readFileSync(path.join(root, 'README.md'), 'utf8'))![0];
    const firstCells = [...table.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell!);
    const named = firstCells.flatMap((cell) =>
      [...cell.matchAll(/`(?:yeeter )?([a-z0-9-]+)[^`]*`/g)].map(([, name]) => name!),
    );
    assert.ok(commands.length > 20);
    assert.deepEqual(named.toSorted(), commands.filter((name) => name !== 'help').toSorted());
  });

  it('has programs of the npm scripts that also run where they are imported, which is how the pinned Node has them', () => {
    const programs = [...read('scripts/run.mjs').matchAll(/\['((?:scripts|src)\/[^']+)'/g)].map(
      ([, file]) => file!,
    );
    assert.ok(programs.length > 4);
    assert.deepEqual(
      programs.filter((file) => read(file).includes('import.meta.main')),
      [],
    );
  });

  it('has nothing that plays jobs delete files, which other jobs might still send', () => {
    const sources = globSync('src/{steps,dicom,engine,worker,runner,ledger}/**/*.ts', { cwd: root });
    const deleting = sources
      .filter((file) => !file.endsWith('.test.ts'))
      .filter((file) => /\b(rm|unlink|rmdir|rmSync|unlinkSync|rmdirSync)\(/.test(read(file)));
    assert.ok(sources.length > 50);
    assert.deepEqual(deleting, []);
  });
});
