import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The entry of the version that measures. */
export const OUR_MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** What these scripts read of `run.json`. */
export interface BenchResult {
  status: string;
  duration_seconds: number;
  patient_count: number;
  totals: { completed: number; jobs: number; attempts: number };
  series: { series: string; count: number; rate_per_second: number; p50_us: number; p99_us: number }[];
  engine_memory: { heap_used_bytes: number; external_bytes: number };
  generator_health: { rss_max_bytes: number };
}

export interface BenchOptions {
  nodeArgs?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** @default `OUR_MAIN` */
  main?: string;
}

/** A data folder that is made once, so that what is measured is the run. */
export interface BenchFolder extends AsyncDisposable {
  /** Runs the real command, sinks and ledger and all. */
  run(args: readonly string[], options?: BenchOptions): Promise<BenchResult>;
  path: string;
}

export async function openBenchFolder(): Promise<BenchFolder> {
  const path = await mkdtemp(join(tmpdir(), 'yeeter-perf-'));
  const run: BenchFolder['run'] = async (args, options = {}) => {
    const { nodeArgs = [], environment = {}, main = OUR_MAIN } = options;
    const out = join(path, 'out');
    const command = [
      ...nodeArgs,
      main,
      'bench',
      ...args,
      '--quiet',
      '--data',
      join(path, 'data'),
      '--out',
      out,
    ];
    await promisify(execFile)(process.execPath, command, {
      cwd: path,
      env: { ...process.env, ...environment },
    });
    return JSON.parse(await readFile(join(out, 'run.json'), 'utf8')) as BenchResult;
  };
  return {
    path,
    run,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
