import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n');

/** Targets of links and pictures that lie in this repository. */
function localLinks(page: string): string[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  return targets.filter((target) => !/^(\w+:|#)/.test(target)).map((target) => target.replace(/#.*/, ''));
}

test('every link of the pages leads to a file or folder that is there', () => {
  const broken = pages.flatMap((page) =>
    localLinks(page)
      .filter((target) => !existsSync(path.join(root, path.dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('every decision and every page of docs is linked from somewhere', () => {
  const linked = new Set(
    pages.flatMap((page) => localLinks(page).map((target) => path.join(path.dirname(page), target))),
  );
  const lost = pages.filter((page) => page.startsWith('docs/') && !linked.has(page));
  assert.deepEqual(lost, []);
});
