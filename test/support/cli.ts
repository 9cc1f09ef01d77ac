import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { delay } from '../../src/lib/lifecycle.ts';

/** The command line's entry, run by this Node. */
export const YEETER: readonly [string, string] = [
  process.execPath,
  fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url)),
];

export interface CliEnd {
  /** Null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command under way, as a shell would have started it. */
export interface CliRun {
  pid: number;
  process: ChildProcess;
  /** What it has written to stderr and stdout so far. */
  stderr(): string;
  stdout(): string;
  /** Resolves when `text` was written to either; rejects when it ends before. */
  said(text: string | RegExp): Promise<void>;
  ended: Promise<CliEnd>;
}

/** A hang is a failure; a busy machine is not. */
const HANG_MS = 120_000;

export function startProgram(
  command: string,
  args: readonly string[],
  cwd: string,
  hangMs = HANG_MS,
  env: NodeJS.ProcessEnv = {},
): CliRun {
  const child = spawn(command, args, {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const written = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
      for (const watch of watchers) watch();
    });
  }
  const hang = setTimeout(() => child.kill('SIGKILL'), hangMs);
  const ended = new Promise<CliEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(hang);
      for (const watch of watchers) watch();
      resolve({ code, signal, ...written });
    });
  });
  const said = (text: string | RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        const all = written.stdout + written.stderr;
        const isOver = child.exitCode !== null || child.signalCode !== null;
        if (typeof text === 'string' ? all.includes(text) : text.test(all)) resolve();
        else if (isOver) reject(new Error(`it ended without saying ${text}:\n${all}`));
        else return;
        watchers.delete(watch);
      };
      watchers.add(watch);
      watch();
    });
  return {
    pid: child.pid!,
    process: child,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    said,
    ended,
  };
}

/** Resolves with the URL of a server once it serves. */
export async function untilServing(server: CliRun): Promise<string> {
  const ready = /Yeeter is ready on (http:\/\/[^;]+);/;
  await server.said(ready);
  return ready.exec(server.stderr())![1]!;
}

/** Starts `yeeter` with its standard streams on pipes and an input that stays open. */
export function startYeeter(
  args: readonly string[],
  cwd: string,
  hangMs = HANG_MS,
  env: NodeJS.ProcessEnv = {},
): CliRun {
  const [node, main] = YEETER;
  return startProgram(node, [main, ...args], cwd, hangMs, env);
}

/** Runs `yeeter` to its end. @param env beside what is set here */
export function yeeter(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<CliEnd> {
  const run = startYeeter(args, cwd, HANG_MS, env);
  run.process.stdin?.end();
  return run.ended;
}

/** Runs `yeeter` with a standard output that nobody reads. */
export function yeeterUnread(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<CliEnd> {
  const script = '"$@" | true; exit $PIPESTATUS';
  return startProgram('/bin/bash', ['-c', script, 'bash', ...YEETER, ...args], cwd, HANG_MS, env).ended;
}

/** The processes that a process has started, by their ids. */
export function childrenOf(pid: number): number[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).flatMap((task) =>
    readFileSync(`${tasks}/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** Those, and what they have started in turn. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

export function isRunning(pid: number): boolean {
  try {
    // A zombie that nobody has waited for yet runs no more.
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until a process is gone. */
export async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + HANG_MS;
  while (isRunning(pid)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} is still running`);
    await delay(25);
  }
}
