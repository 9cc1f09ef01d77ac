import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { runTests } from './run-tests.ts';

const IMPORT = "import { describe, it, test } from 'node:test';\n";

async function countsOf(t: TestContext, source: string, fileTimeoutMs = 60_000) {
  const folder = mkdtempSync(path.join(tmpdir(), 'yeeter-run-tests-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'some.test.mjs'), IMPORT + source);
  let output = '';
  const write = (text: string): void => {
    output += text;
  };
  const { passed, failed, skipped } = await runTests([`${folder}/*.test.mjs`], { fileTimeoutMs, write });
  return { counts: [passed, failed, skipped.length], reasons: skipped.map((one) => one.reason), output };
}

test('passes, failures and skips are counted, and a reason is kept', async (t) => {
  const { counts, reasons, output } = await countsOf(
    t,
    "describe('s', () => { it('a', () => {}); it('b', () => { throw new Error('so bad'); }); });\n" +
      "test('c', { skip: 'no dcmtk' }, () => {});\n" +
      "describe('d', { skip: 'no orthanc' }, () => { it('e', () => {}); });",
  );
  assert.deepEqual(counts, [1, 1, 2]);
  assert.deepEqual(reasons, ['no dcmtk', 'no orthanc']);
  assert.match(output, /^FAILED .*some\.test\.mjs/);
  assert.match(output, /so bad/);
});

test('a file that does not load is a failure', async (t) => {
  const { counts, output } = await countsOf(t, "throw new Error('at load');");
  assert.deepEqual(counts, [0, 1, 0]);
  assert.match(output, /at load/);
});

test('a file that leaves something running is killed and counted', async (t) => {
  const { counts, output } = await countsOf(t, "test('a', () => { setInterval(() => {}, 1000); });", 1500);
  assert.deepEqual(counts, [1, 1, 0]);
  assert.match(output, /did not end within 1\.5 s/);
});
