import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './outcome-reporter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface TestCounts {
  passed: number;
  failed: number;
  skipped: { name: string; reason: string }[];
}

export interface RunTestsOptions {
  /** A file that takes longer is killed and counted as failed. @default 300000 */
  fileTimeoutMs?: number;
  /** Receives the report. @default standard output */
  write?: (text: string) => void;
}

/** Two files at a time: as many as the smallest machine has cores. */
const CONCURRENCY = 2;

/**
 * Runs the test files that match, each in a process of its own, and reports a line a file. A file that fails, ends
 * badly or does not end shows all that it printed.
 */
export async function runTests(
  patterns: readonly string[],
  options: RunTestsOptions = {},
): Promise<TestCounts> {
  const { fileTimeoutMs = 300_000, write = (text) => process.stdout.write(text) } = options;
  const waiting = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
  const counts: TestCounts = { passed: 0, failed: 0, skipped: [] };
  const folder = mkdtempSync(path.join(tmpdir(), `yeeter-test-${process.pid}-`));
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { outcomes, output, seconds } = await runFile(file, folder, fileTimeoutMs);
      const number = (result: string): number => outcomes.filter((one) => one.result === result).length;
      const failed = number('failed');
      counts.passed += number('passed');
      counts.failed += failed;
      for (const { name, result, reason } of outcomes) {
        if (result === 'skipped') counts.skipped.push({ name: `${file}: ${name}`, reason });
      }
      const more = number('skipped') > 0 ? `, ${number('skipped')} skipped` : '';
      write(`${failed > 0 ? 'FAILED' : 'ok    '} ${file}: ${outcomes.length} tests${more}, ${seconds} s\n`);
      if (failed > 0) write(`${output}\n`);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return counts;
}

interface FileRun {
  outcomes: Outcome[];
  output: string;
  seconds: string;
}

async function runFile(file: string, folder: string, timeoutMs: number): Promise<FileRun> {
  const started = performance.now();
  const record = path.join(folder, `${file.replaceAll(/[^\w.-]/g, '_')}.jsonl`);
  const reporter = fileURLToPath(new URL('./outcome-reporter.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [
      ...['--test-reporter', 'spec', '--test-reporter-destination', 'stdout'],
      ...['--test-reporter', reporter, '--test-reporter-destination', record],
      file,
    ],
    { cwd: root, env: testEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  const outcomes = readOutcomes(record);
  if (code !== 0 && !outcomes.some((one) => one.result === 'failed')) {
    const how = timedOut ? `did not end within ${timeoutMs / 1000} s` : `ended with ${code ?? signal}`;
    outcomes.push({ name: how, result: 'failed', reason: '' });
    output += `${file} ${how}\n`;
  }
  return { outcomes, output, seconds: ((performance.now() - started) / 1000).toFixed(1) };
}

function testEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // Without this a run that is itself part of a test would report in the runner's own format.
    NODE_TEST_CONTEXT: undefined,
  };
}

function readOutcomes(record: string): Outcome[] {
  try {
    const lines = readFileSync(record, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Outcome);
  } catch (error) {
    // A file that does not load leaves no record.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
