/** The static checks and the unit tests; `npm run check` needs nothing but the packages. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { printSummary } from './print-summary.ts';
import { runTests, type TestCounts } from './run-tests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const STATIC_CHECKS = [
  { name: 'format and lint', command: 'biome', args: ['check', '--error-on-warnings'] },
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'imports', command: process.execPath, args: ['scripts/check-imports.ts'] },
  { name: 'unused files, exports and packages', command: 'knip', args: ['--no-progress'] },
];

const UNIT_TESTS = ['src/**/*.test.ts', 'scripts/**/*.test.ts'];

/** @returns the counts of the unit tests; a static check that fails counts as one failure */
export async function check(): Promise<TestCounts> {
  const failedChecks = STATIC_CHECKS.filter((one) => !passes(one)).length;
  const counts = await runTests(UNIT_TESTS);
  return { ...counts, failed: counts.failed + failedChecks };
}

function passes({ name, command, args }: (typeof STATIC_CHECKS)[number]): boolean {
  const bin = path.join(root, 'node_modules', '.bin');
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    // The tools are scripts that ask PATH for the Node to run on.
    env: { ...process.env, PATH: [bin, process.env.PATH].join(path.delimiter) },
    encoding: 'utf8',
  });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}`);
  if (status !== 0) console.log(error?.message ?? `${stdout}${stderr}`);
  return status === 0;
}

// The pinned Node has this imported, with its path as the program's; the tests import it for `check` alone.
if (process.argv[1] === import.meta.filename) printSummary(await check());
